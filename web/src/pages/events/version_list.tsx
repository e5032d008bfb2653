import { useEffect, useRef } from "react";
import type { LiveEvent } from "../../api/live";
import { cx } from "../../lib/classes";
import { Panel } from "../../ui/page";
import { Time } from "../../ui/time";
import { ChannelBadge } from "./event_columns";

interface VersionListProps {
  versions: LiveEvent[];
  place: number;
  nameOf: (userId: string) => string;
  onGoTo: (place: number) => void;
}

/** How many stand around the one that is shown: a list of thousands would be slow, and nobody reads it. */
const aroundMax = 200;

/** The steps, of which one is chosen. */
export function VersionList({ versions, place, nameOf, onGoTo }: VersionListProps) {
  const chosen = useRef<HTMLButtonElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the chosen one is brought into sight when it is another
  useEffect(() => {
    const button = chosen.current;
    const list = button?.closest("ol");
    if (!button || !list) return;
    const top = button.offsetTop - list.offsetTop;
    if (top < list.scrollTop || top + button.offsetHeight > list.scrollTop + list.clientHeight)
      list.scrollTo({ top: top - list.clientHeight / 2 });
  }, [place]);
  const first = Math.max(0, Math.min(place - aroundMax / 2, versions.length - aroundMax));
  return (
    <Panel title="Steps" about={`${versions.length}`} isFlush className="lg:sticky lg:top-30">
      <ol className="max-h-56 overflow-y-auto p-1.5 lg:max-h-[calc(100dvh-14rem)]">
        {versions.slice(first, first + aroundMax).map((event, index) => {
          const isChosen = first + index === place;
          return (
            <li key={event.version}>
              <button
                type="button"
                ref={isChosen ? chosen : undefined}
                aria-current={isChosen ? "step" : undefined}
                onClick={() => onGoTo(first + index)}
                className={cx(
                  "flex w-full items-center gap-2 rounded-md px-2 py-1.5 text-left -outline-offset-2",
                  isChosen ? "bg-accent-soft" : "hover:bg-hover",
                )}
              >
                <span className="w-8 shrink-0 text-right text-muted tabular-nums">{event.version}</span>
                <span className="min-w-0 flex-1">
                  <ChannelBadge channel={event.channel} />
                  <span className="block truncate text-xs text-muted">
                    <Time at={event.timestamp} /> · {nameOf(event.metadata.user_id)}
                  </span>
                </span>
              </button>
            </li>
          );
        })}
      </ol>
    </Panel>
  );
}
