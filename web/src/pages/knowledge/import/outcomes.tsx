import { Link } from "@tanstack/react-router";
import { formatCount } from "../../../lib/format";
import { Badge, type Tone } from "../../../ui/badge";
import type { ImportFile } from "./import_store";
import { Faults } from "./preview";

/** What became of the items of a file so far. */
export function Outcomes({ file: { agentId, outcome, phase } }: { file: ImportFile }) {
  const counts: [name: string, count: number, tone: Tone][] = [
    ["imported", outcome.imported, "ok"],
    ["merged", outcome.merged, "accent"],
    ["skipped", outcome.skipped, "neutral"],
    ["faulty", outcome.faulty.length, "danger"],
  ];
  return (
    <>
      <div className="flex flex-wrap items-center gap-1.5" role="status">
        {counts
          .filter(([name, count]) => count > 0 || name === "imported")
          .map(([name, count, tone]) => (
            <Badge key={name} tone={count > 0 ? tone : "neutral"}>
              {formatCount(count)} {name}
            </Badge>
          ))}
        {phase === "done" && (
          <Link to="/knowledge" search={{ agent: agentId }} className="ml-1 text-accent hover:underline">
            Show knowledge of {agentId}
          </Link>
        )}
      </div>
      {outcome.isAgentCreated && (
        <p>
          Agent{" "}
          <Link to="/agents/$agentId" params={{ agentId }} className="text-accent hover:underline">
            {agentId}
          </Link>{" "}
          was created. Give it a field of work and a model.
        </p>
      )}
      {outcome.skipped > outcome.leftOut.length && (
        <p className="text-xs text-muted">Skipped are items that were imported before.</p>
      )}
      <Faults title="Left out" faults={outcome.leftOut} />
      <Faults title="Faulty" faults={outcome.faulty} />
    </>
  );
}
