import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import type { LiveEvent } from "../../api/live";
import { useNameOf } from "../../api/people";
import { differences } from "../../lib/differences";
import { formatExact, formatSeconds, secondsBetween } from "../../lib/format";
import { DifferenceList } from "../../ui/difference_list";
import { Json } from "../../ui/json";
import { Facts, Panel } from "../../ui/page";
import { ChannelBadge } from "./event_columns";
import { StepBar } from "./step_bar";
import { VersionList } from "./version_list";
import { placeOf } from "./versions";

/** One step of a history at a time. The latest one is followed until another one is chosen. */
export function HistorySteps({ versions }: { versions: LiveEvent[] }) {
  const { version } = useSearch({ from: "/signed-in/events/$kind/$" });
  const navigate = useNavigate({ from: "/events/$kind/$" });
  const nameOf = useNameOf();
  const place = placeOf(versions, version);
  const last = versions.length - 1;
  const goTo = useCallback(
    (next: number) => {
      const chosen = next === last ? undefined : versions[next]?.version;
      void navigate({ search: { version: chosen }, replace: true, resetScroll: false });
    },
    [navigate, versions, last],
  );
  const event = versions[place];
  const before = versions[place - 1];
  const changes = useMemo(
    // The version is another one with every event, and stands beside.
    () => event && differences(before?.data ?? {}, event.data).filter(({ path }) => path !== "version"),
    [before, event],
  );
  if (!event || !changes) return null;
  const pause = formatSeconds(secondsBetween(before?.timestamp, event.timestamp));
  return (
    <>
      <StepBar place={place} last={last} event={event} onGoTo={goTo} />
      <div className="grid items-start gap-4 lg:grid-cols-[18rem_minmax(0,1fr)]">
        <VersionList versions={versions} place={place} nameOf={nameOf} onGoTo={goTo} />
        <div className="flex min-w-0 flex-col gap-4">
          <Panel
            title="What changed"
            about={
              before ? `since version ${before.version}, ${pause} before` : "the first event that is kept"
            }
          >
            {changes.length > 0 ? (
              <DifferenceList differences={changes} />
            ) : (
              <p className="text-muted">
                Nothing but the version: this event only says that something happened.
              </p>
            )}
          </Panel>
          <Panel title={<ChannelBadge channel={event.channel} />} about={`version ${event.version}`}>
            <Facts
              facts={[
                ["When", formatExact(event.timestamp)],
                ["Who", nameOf(event.metadata.user_id)],
                ["Service", event.service],
                [
                  "Correlation",
                  event.metadata.correlation_id && (
                    <Link
                      key="correlation"
                      to="/events"
                      search={{ correlation: event.metadata.correlation_id }}
                      title="Find all of this request in the log"
                      className="font-mono text-xs break-all text-accent hover:underline"
                    >
                      {event.metadata.correlation_id}
                    </Link>
                  ),
                ],
              ]}
            />
          </Panel>
          <Panel title={`State after version ${event.version}`}>
            <Json value={event.data} />
          </Panel>
        </div>
      </div>
    </>
  );
}
