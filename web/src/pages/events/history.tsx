import { Link, useParams } from "@tanstack/react-router";
import { History as HistoryIcon } from "lucide-react";
import { formatWords } from "../../lib/format";
import { Badge } from "../../ui/badge";
import { Button } from "../../ui/button";
import { Page, Panel } from "../../ui/page";
import { Empty, Loaded } from "../../ui/states";
import { pageOf, summaryOf } from "./event";
import { HistorySteps } from "./history_steps";
import { useVersions } from "./use_versions";

export function History() {
  const { kind, _splat: aggregateId = "" } = useParams({ from: "/signed-in/events/$kind/$" });
  // Of another aggregate nothing may be left over.
  return <HistoryOf key={`${kind}/${aggregateId}`} kind={kind} aggregateId={aggregateId} />;
}

function HistoryOf({ kind, aggregateId }: { kind: string; aggregateId: string }) {
  const { query, versions } = useVersions(kind, aggregateId);
  const page = pageOf(kind, aggregateId);
  const latest = versions.at(-1);
  return (
    <Page
      title={aggregateId}
      about={
        <span className="line-clamp-2 break-words">
          <Badge>{formatWords(kind)}</Badge> {(latest && summaryOf(latest)) || "Every change, step by step."}
        </span>
      }
      actions={
        <>
          <Button asChild>
            <Link to="/events">All events</Link>
          </Button>
          {page && (
            <Button asChild>
              <Link to={page.to}>{page.name}</Link>
            </Button>
          )}
        </>
      }
    >
      <Loaded
        query={query}
        lines={8}
        isEmpty={() => versions.length === 0}
        empty={<NothingKept kind={kind} />}
      >
        {() => <HistorySteps versions={versions} />}
      </Loaded>
    </Page>
  );
}

const NothingKept = ({ kind }: { kind: string }) => (
  <Panel>
    <Empty icon={HistoryIcon} title={`No event of this ${formatWords(kind).toLowerCase()} is kept`}>
      The id may be mistyped, or nothing has changed for 90 days: then its events are in the archive.
    </Empty>
  </Panel>
);
