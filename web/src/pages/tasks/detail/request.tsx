import { CopyButton } from "../../../ui/copy";
import { Json } from "../../../ui/json";
import { Panel } from "../../../ui/page";
import type { Task } from "../filters";
import { curlOf } from "./curl";

/** What was asked for, whole. */
export function Request({ task }: { task: Task }) {
  const command = curlOf(task, location.origin);
  const hasContext = Object.keys(task.context).length > 0;
  return (
    <>
      <Panel title="Description" actions={<CopyButton text={task.description} label="Copy description" />}>
        <p className="text-base break-words whitespace-pre-wrap">{task.description}</p>
      </Panel>
      <Panel title="Context" about="travels along, and is given to the model">
        {hasContext ? (
          <Json value={task.context} label="Copy context" />
        ) : (
          <p className="text-muted">There is none.</p>
        )}
      </Panel>
      <Panel
        title="As a command"
        about="creates such a task again"
        actions={<CopyButton text={command} label="Copy as curl" />}
      >
        <pre
          tabIndex={0}
          className="overflow-x-auto rounded-md border border-line bg-sunken p-3 font-mono text-xs"
        >
          {command}
        </pre>
      </Panel>
    </>
  );
}
