import { X } from "lucide-react";
import { formatBytes, formatCount } from "../../../lib/format";
import { StateBadge } from "../../../ui/badge";
import { IconButton } from "../../../ui/button";
import { Field, Input } from "../../../ui/field";
import { Panel } from "../../../ui/page";
import { Notice, Skeleton } from "../../../ui/states";
import { type ImportFile, removeFile, setAgent } from "./import_store";
import { Outcomes } from "./outcomes";
import { Faults, Preview } from "./preview";
import { Progress } from "./progress";
import { isAgentId, type Kind } from "./read_file";

const kinds: Record<Kind, string> = {
  items: "Items as JSON",
  lines: "JSON Lines",
  markdown: "Markdown",
  text: "Plain text",
};

interface FilePanelProps {
  file: ImportFile;
  /** Ids of those that exist. */
  agents: readonly string[];
  /** The datalist with them. */
  listId: string;
  /** While an import runs nothing is changed. */
  isLocked: boolean;
}

/** One file: what it holds before, and what became of it after. */
export function FilePanel({ file, agents, listId, isLocked }: FilePanelProps) {
  const { contents } = file;
  const about = [contents && kinds[contents.kind], formatBytes(file.size)].filter(Boolean).join(", ");
  return (
    <Panel
      title={<span className="break-all">{file.name}</span>}
      about={about}
      actions={
        <>
          {!["ready", "unreadable"].includes(file.phase) && <StateBadge state={file.phase} />}
          {!isLocked && (
            <IconButton label={`Remove ${file.name}`} onClick={() => removeFile(file.key)}>
              <X aria-hidden className="size-4" />
            </IconButton>
          )}
        </>
      }
    >
      <div className="flex flex-col gap-3">
        {file.reason && <Notice tone="danger">{file.reason}</Notice>}
        {file.phase === "reading" && <Skeleton lines={2} className="p-0" />}
        {contents && <Body file={file} agents={agents} listId={listId} isLocked={isLocked} />}
      </div>
    </Panel>
  );
}

function Body({ file, agents, listId, isLocked }: FilePanelProps) {
  const { contents, phase, outcome } = file;
  if (!contents) return null;
  const isBefore = phase === "ready";
  return (
    <>
      <div className="grid items-start gap-x-6 gap-y-3 md:grid-cols-[16rem_minmax(0,1fr)]">
        <AgentField file={file} agents={agents} listId={listId} isLocked={isLocked || phase === "done"} />
        <div className="flex min-w-0 flex-col gap-2">
          <p>
            {formatCount(contents.items.length)} {contents.items.length === 1 ? "item" : "items"}
            {contents.faults.length > 0 && (
              <span className="text-danger">, {formatCount(contents.faults.length)} faulty and left out</span>
            )}
          </p>
          {isBefore ? (
            <Preview items={contents.items} />
          ) : (
            <>
              <Progress
                label={`Progress of ${file.name}`}
                done={outcome.done}
                total={contents.items.length}
                isRunning={phase === "running"}
              />
              {(outcome.done > 0 || phase === "done") && <Outcomes file={file} />}
            </>
          )}
        </div>
      </div>
      <Faults title="Cannot be imported" faults={contents.faults} />
    </>
  );
}

function AgentField({ file, agents, listId, isLocked }: FilePanelProps) {
  const { agentId, outcome } = file;
  const error =
    agentId === ""
      ? "Choose whose knowledge it is."
      : isAgentId(agentId)
        ? undefined
        : "No agent's id: 1 to 50 lower-case letters, digits, - or _.";
  const isNew = !error && !agents.includes(agentId) && !outcome.isAgentCreated;
  return (
    <Field label="Agent" error={error} hint={isNew && "There is no such agent yet: it is created."}>
      <Input
        list={listId}
        value={agentId}
        disabled={isLocked}
        className="font-mono"
        onChange={(event) => setAgent(file.key, event.target.value.trim())}
      />
    </Field>
  );
}
