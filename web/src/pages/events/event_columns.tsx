import { Link } from "@tanstack/react-router";
import type { LiveEvent } from "../../api/live";
import { formatExact } from "../../lib/format";
import { Badge } from "../../ui/badge";
import type { Column } from "../../ui/table";
import { kindOf, summaryOf, toneOf } from "./event";

const clock = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  fractionalSecondDigits: 3,
});

const day = new Intl.DateTimeFormat("en-GB", { day: "2-digit", month: "short" });

/** To the millisecond: of a thousand events within a second "just now" says nothing. */
function Clock({ at }: { at: string }) {
  const date = new Date(at);
  const time = clock.format(date);
  return (
    <time dateTime={at} title={formatExact(at)} className="font-mono text-xs tabular-nums">
      {day.format(date)} {time.slice(0, 5)}
      {/* A phone has no room for seconds. */}
      <span className="max-sm:hidden">{time.slice(5)}</span>
    </time>
  );
}

export const ChannelBadge = ({ channel }: { channel: string }) => (
  <Badge tone={toneOf(channel)} className="max-w-full font-mono">
    <span className="truncate">{channel}</span>
  </Badge>
);

interface HistoryLinkProps {
  event: Pick<LiveEvent, "channel" | "aggregate_id" | "version">;
  className?: string;
}

export const HistoryLink = ({ event, className }: HistoryLinkProps) => (
  <Link
    to="/events/$kind/$"
    params={{ kind: kindOf(event.channel), _splat: event.aggregate_id }}
    search={{ version: event.version }}
    title={`History of ${event.aggregate_id}`}
    className={className ?? "font-mono text-xs text-accent hover:underline"}
  >
    {event.aggregate_id}
  </Link>
);

/** Plain elements alone: under a thousand events a second all rows are drawn anew several times a second. */
export function eventColumns(
  open: (event: LiveEvent) => void,
  nameOf: (userId: string) => string,
): Column<LiveEvent>[] {
  return [
    {
      key: "time",
      name: "Time",
      width: "minmax(7rem, 10.5rem)",
      render: (event) => (
        <button type="button" onClick={() => open(event)} className="rounded-sm hover:text-accent">
          <Clock at={event.timestamp} />
          <span className="sr-only">
            {" "}
            open {event.channel} of {event.aggregate_id}
          </span>
        </button>
      ),
    },
    {
      key: "channel",
      name: "Channel",
      width: "minmax(8rem, 13rem)",
      render: (event) => <ChannelBadge channel={event.channel} />,
    },
    {
      key: "aggregate",
      name: "Of",
      width: "minmax(5rem, 11rem)",
      render: (event) => <HistoryLink event={event} />,
    },
    {
      key: "version",
      name: "Version",
      width: "5rem",
      isNumber: true,
      isExtra: true,
      render: (event) => event.version,
    },
    {
      key: "summary",
      name: "About",
      width: "minmax(8rem, 1fr)",
      isExtra: true,
      render: (event) => <span className="text-muted">{summaryOf(event)}</span>,
    },
    { key: "service", name: "Service", width: "9rem", isExtra: true, render: (event) => event.service },
    {
      key: "who",
      name: "Who",
      width: "9rem",
      isExtra: true,
      render: (event) => nameOf(event.metadata.user_id),
    },
  ];
}
