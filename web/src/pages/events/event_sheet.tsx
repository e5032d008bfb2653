import { Link } from "@tanstack/react-router";
import { ListFilter } from "lucide-react";
import type { ReactNode } from "react";
import type { LiveEvent } from "../../api/live";
import { formatExact } from "../../lib/format";
import { Button } from "../../ui/button";
import { CopyButton } from "../../ui/copy";
import { Dialog } from "../../ui/dialog";
import { Json } from "../../ui/json";
import { Facts } from "../../ui/page";
import { agentOf, kindOf, pageOf } from "./event";
import { ChannelBadge, HistoryLink } from "./event_columns";

const Id = ({ children, label }: { children: string; label: string }) => (
  <span className="flex items-start gap-1">
    <code className="font-mono text-xs leading-5 break-all">{children}</code>
    <span className="-my-1.5 shrink-0">
      <CopyButton text={children} label={label} />
    </span>
  </span>
);

function factsOf(event: LiveEvent, nameOf: (userId: string) => string): [string, ReactNode][] {
  const { correlation_id, causation_id, user_id, traceparent } = event.metadata;
  const agent = agentOf(event);
  const all: [string, ReactNode][] = [
    ["When", formatExact(event.timestamp)],
    [
      "Of",
      <HistoryLink key="of" event={event} className="font-mono text-xs break-all text-accent underline" />,
    ],
    ["Version", event.version],
    ["Agent", agent],
    ["Service", event.service],
    ["Who", nameOf(user_id)],
    ["Place in the log", event.seq],
    [
      "Event id",
      <Id key="event" label="Copy event id">
        {event.event_id}
      </Id>,
    ],
    [
      "Correlation",
      correlation_id && (
        <Id key="correlation" label="Copy correlation id">
          {correlation_id}
        </Id>
      ),
    ],
    [
      "Caused by",
      causation_id && (
        <Id key="causation" label="Copy id of the cause">
          {causation_id}
        </Id>
      ),
    ],
    [
      "Trace",
      traceparent && (
        <Id key="trace" label="Copy trace context">
          {traceparent}
        </Id>
      ),
    ],
  ];
  return all.filter(([, value]) => value !== undefined && value !== "");
}

interface EventSheetProps {
  event: LiveEvent | undefined;
  onClose: () => void;
  onCorrelation: (id: string) => void;
  nameOf: (userId: string) => string;
}

/** All of one event. */
export function EventSheet({ event, onClose, onCorrelation, nameOf }: EventSheetProps) {
  if (!event) return null;
  const kind = kindOf(event.channel);
  const page = pageOf(kind, event.aggregate_id);
  const correlation = event.metadata.correlation_id;
  return (
    <Dialog
      isOpen
      onClose={onClose}
      isSheet
      isWide
      title="Event"
      about={<ChannelBadge channel={event.channel} />}
    >
      <div className="flex flex-col gap-4">
        <div className="flex flex-wrap gap-2">
          <Button asChild>
            <Link
              to="/events/$kind/$"
              params={{ kind, _splat: event.aggregate_id }}
              search={{ version: event.version }}
            >
              Open history
            </Link>
          </Button>
          {page && (
            <Button asChild>
              <Link to={page.to}>{page.name}</Link>
            </Button>
          )}
          {correlation && (
            <Button onClick={() => onCorrelation(correlation)}>
              <ListFilter aria-hidden className="size-3.5" /> Show all with this correlation
            </Button>
          )}
        </div>
        <Facts facts={factsOf(event, nameOf)} />
        <section className="flex flex-col gap-1.5">
          <h3 className="font-medium">State after it</h3>
          <Json value={event.data} />
        </section>
      </div>
    </Dialog>
  );
}
