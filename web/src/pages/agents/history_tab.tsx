import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { $api } from "../../api/client";
import { useNameOf } from "../../api/people";
import { formatWords } from "../../lib/format";
import { Badge, type Tone } from "../../ui/badge";
import { Button } from "../../ui/button";
import { DifferenceList } from "../../ui/difference_list";
import { Name } from "../../ui/name";
import { Panel } from "../../ui/page";
import { Empty, Loaded } from "../../ui/states";
import { Time } from "../../ui/time";
import type { Agent } from "./search";
import { type Version, versionsOf } from "./versions";

/** Versions that are read at first, and with each step back. */
const stepSize = 50;
/** The API gives no longer page; the events have the rest. */
const pageMax = 500;

const tones: Record<Version["deed"], Tone> = { created: "ok", changed: "neutral", deleted: "danger" };

export function HistoryTab({ agent }: { agent: Agent }) {
  const [count, setCount] = useState(stepSize);
  // One more than is shown, so that the oldest has something to differ from.
  const from = Math.max(1, agent.version - count);
  const events = $api.useQuery(
    "get",
    "/api/v1/events/replay",
    {
      params: {
        query: {
          kind: "agent",
          aggregate_id: agent.id,
          from_version: from,
          limit: Math.min(count + 1, pageMax),
        },
      },
    },
    { placeholderData: (previous) => previous },
  );
  return (
    <Panel
      title="Versions"
      about="The newest first"
      isFlush
      actions={
        <Button asChild look="quiet">
          <Link to="/events/$kind/$" params={{ kind: "agent", _splat: agent.id }}>
            Step through the events
          </Link>
        </Button>
      }
    >
      <Loaded
        query={events}
        lines={6}
        isEmpty={(data) => data.count === 0}
        empty={<Empty title="No history">The log keeps what happened; this is older than it.</Empty>}
      >
        {(data) => <Versions versions={versionsOf(data.events).slice(0, count)} />}
      </Loaded>
      {from > 1 && count + stepSize < pageMax && (
        <div className="p-3 text-center">
          <Button isBusy={events.isPlaceholderData} onClick={() => setCount(count + stepSize)}>
            Show earlier versions
          </Button>
        </div>
      )}
    </Panel>
  );
}

function Versions({ versions }: { versions: Version[] }) {
  const nameOf = useNameOf();
  return (
    <ol>
      {versions.map((version) => (
        <li
          key={version.version}
          className="grid gap-x-4 gap-y-2 border-b border-line/60 px-4 py-3 last:border-0 sm:grid-cols-[16rem_1fr]"
        >
          <div className="flex min-w-0 flex-wrap content-start items-baseline gap-x-2">
            <span className="font-mono text-xs text-muted">v{version.version}</span>
            <Badge tone={tones[version.deed]}>{formatWords(version.deed)}</Badge>
            <span className="text-muted">
              <Name id={version.userId} nameOf={nameOf} /> · <Time at={version.at} />
            </span>
          </div>
          <Changes version={version} />
        </li>
      ))}
    </ol>
  );
}

function Changes({ version: { deed, changes, version } }: { version: Version }) {
  if (changes && changes.length > 0) return <DifferenceList differences={changes} />;
  if (deed !== "changed")
    return version === 1 ? <span className="text-muted">The first version.</span> : null;
  return (
    <span className="text-muted">{changes ? "Nothing is different." : "What changed is not known."}</span>
  );
}
