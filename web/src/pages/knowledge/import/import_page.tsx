import { Link, useSearch } from "@tanstack/react-router";
import { ArrowLeft } from "lucide-react";
import { useId } from "react";
import { useCan } from "../../../api/hooks";
import { formatCount } from "../../../lib/format";
import { Button } from "../../../ui/button";
import { Page } from "../../../ui/page";
import { Notice } from "../../../ui/states";
import { useAgents } from "../filters";
import { DropZone } from "./drop_zone";
import { FilePanel } from "./file_panel";
import {
  addFiles,
  canImport,
  clearFiles,
  type ImportFile,
  startImport,
  stopImport,
  useImport,
} from "./import_store";
import { Progress } from "./progress";

export function ImportPage() {
  const { agent } = useSearch({ from: "/signed-in/knowledge/import" });
  const mayWrite = useCan("knowledge:write");
  const { files, isRunning } = useImport();
  const agents = useAgents();
  const listId = useId();
  const known = agents.map((each) => each.id);
  return (
    <Page
      title="Import knowledge"
      about={
        <Link to="/knowledge" search={{ agent }} className="inline-flex items-center gap-1 hover:text-text">
          <ArrowLeft aria-hidden className="size-3.5" /> Knowledge{agent ? ` of ${agent}` : ""}
        </Link>
      }
    >
      {mayWrite ? (
        <>
          <DropZone onFiles={(chosen) => void addFiles(chosen, known, agent)} />
          {files.length > 0 && <Controls files={files} isRunning={isRunning} />}
          {files.map((file) => (
            <FilePanel key={file.key} file={file} agents={known} listId={listId} isLocked={isRunning} />
          ))}
          <datalist id={listId}>
            {agents.map((each) => (
              <option key={each.id} value={each.id}>
                {each.name}
              </option>
            ))}
          </datalist>
        </>
      ) : (
        <Notice>You may not add knowledge. Ask an administrator for knowledge:write.</Notice>
      )}
    </Page>
  );
}

const itemsOf = (file: ImportFile) => file.contents?.items.length ?? 0;
const sum = (files: readonly ImportFile[], of: (file: ImportFile) => number) =>
  files.reduce((total, file) => total + of(file), 0);

/** All files together: how far it is, and what to do next. */
function Controls({ files, isRunning }: { files: readonly ImportFile[]; isRunning: boolean }) {
  const importable = files.filter(canImport);
  const taken = files.filter((file) =>
    ["waiting", "running", "done", "stopped", "failed"].includes(file.phase),
  );
  const hasBegun = taken.length > 0;
  const count = sum(importable, itemsOf);
  return (
    <div className="sticky top-12 z-10 flex flex-wrap items-center gap-x-4 gap-y-2 rounded-lg border border-line bg-surface px-4 py-2.5 shadow-card">
      <div className="min-w-48 flex-1">
        {hasBegun ? (
          <>
            <Progress
              label="All files"
              done={sum(taken, (file) => file.outcome.done)}
              total={sum(taken, itemsOf)}
              isRunning={isRunning}
            />
            {!isRunning && <Totals files={taken} />}
          </>
        ) : (
          <span className="text-muted">
            {formatCount(files.length)} {files.length === 1 ? "file" : "files"}, {formatCount(count)} items
            ready
          </span>
        )}
      </div>
      {isRunning ? (
        <Button onClick={stopImport}>Stop</Button>
      ) : (
        <>
          <Button look="quiet" onClick={clearFiles}>
            Clear
          </Button>
          {(importable.length > 0 || !hasBegun) && (
            <Button look="primary" disabled={importable.length === 0} onClick={() => void startImport()}>
              {hasBegun ? "Go on" : "Import"} {count > 0 && `${formatCount(count)} items`}
            </Button>
          )}
        </>
      )}
    </div>
  );
}

function Totals({ files }: { files: readonly ImportFile[] }) {
  const imported = sum(files, (file) => file.outcome.imported);
  const merged = sum(files, (file) => file.outcome.merged);
  const skipped = sum(files, (file) => file.outcome.skipped);
  const faulty = sum(files, (file) => file.outcome.faulty.length + (file.contents?.faults.length ?? 0));
  return (
    <p className="mt-1 text-muted" role="status">
      {formatCount(imported)} imported, {formatCount(merged)} merged, {formatCount(skipped)} skipped,{" "}
      {formatCount(faulty)} faulty
    </p>
  );
}
