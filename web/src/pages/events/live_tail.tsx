import { ArrowUp, Pause, Play, Radio } from "lucide-react";
import { useCallback, useMemo, useRef, useState } from "react";
import type { LiveEvent } from "../../api/live";
import { useNameOf } from "../../api/people";
import { formatCount } from "../../lib/format";
import { Button } from "../../ui/button";
import { Panel } from "../../ui/page";
import { Empty } from "../../ui/states";
import { LongTable } from "../../ui/table";
import { eventColumns } from "./event_columns";
import { EventFilters, useEventFilter } from "./event_filters";
import { EventSheet } from "./event_sheet";
import { useEventsSearch } from "./use_events_search";
import { keptMax, useTail } from "./use_tail";

const eventId = (event: LiveEvent) => event.event_id;
/** Who has scrolled further than this is reading, and nothing may move under their eyes. */
const readingPx = 8;

/** Events as they come. It holds still while somebody reads further down. */
export function LiveTail() {
  const [, change] = useEventsSearch();
  const filter = useEventFilter();
  const nameOf = useNameOf();
  const scroller = useRef<HTMLDivElement>(null);
  const [isPaused, setPaused] = useState(false);
  const [isReading, setReading] = useState(false);
  const [opened, setOpened] = useState<LiveEvent>();
  const { rows, waiting, isHeld } = useTail(filter, isPaused || isReading);
  const columns = useMemo(() => eventColumns(setOpened, nameOf), [nameOf]);
  const follow = useCallback(() => {
    setPaused(false);
    setReading(false);
    scroller.current?.scrollTo({ top: 0 });
  }, []);
  const showCorrelation = (id: string) => {
    setOpened(undefined);
    change({ q: id, channel: undefined, agent: undefined });
  };
  return (
    <>
      <div className="flex flex-wrap items-center gap-2">
        <Button
          onClick={() => (isPaused ? follow() : setPaused(true))}
          aria-pressed={isPaused}
          className="w-26"
        >
          {isPaused ? <Play aria-hidden className="size-3.5" /> : <Pause aria-hidden className="size-3.5" />}
          {isPaused ? "Resume" : "Pause"}
        </Button>
        <EventFilters />
      </div>
      <Panel isFlush className="relative min-h-64 flex-1">
        {isHeld && <Held waiting={waiting} isPaused={isPaused} onFollow={follow} />}
        {rows.length === 0 ? (
          <NothingYet isFiltered={filter.channels.length > 0 || Boolean(filter.agent || filter.text)} />
        ) : (
          <div
            className="absolute inset-0"
            onScrollCapture={(event) => setReading((event.target as HTMLElement).scrollTop > readingPx)}
          >
            <LongTable
              label="Live events"
              rows={rows}
              columns={columns}
              rowKey={eventId}
              onOpen={setOpened}
              scrollerRef={scroller}
            />
          </div>
        )}
      </Panel>
      <p className="text-xs text-muted">
        {formatCount(rows.length)} shown of what came since this tab was opened; the last{" "}
        {keptMax.toLocaleString("en")} are kept.
      </p>
      <EventSheet
        event={opened}
        onClose={() => setOpened(undefined)}
        onCorrelation={showCorrelation}
        nameOf={nameOf}
      />
    </>
  );
}

function Held({ waiting, isPaused, onFollow }: { waiting: number; isPaused: boolean; onFollow: () => void }) {
  return (
    <div className="absolute inset-x-0 bottom-3 z-20 flex justify-center">
      <Button look="primary" onClick={onFollow} className="rounded-lg shadow-float">
        <ArrowUp aria-hidden className="size-3.5" />
        <span aria-live="polite" className="tabular-nums">
          {waiting === 0
            ? isPaused
              ? "Paused"
              : "Held while you read"
            : `${formatCount(waiting)} new event${waiting === 1 ? "" : "s"}`}
        </span>
      </Button>
    </div>
  );
}

function NothingYet({ isFiltered }: { isFiltered: boolean }) {
  const [, change] = useEventsSearch();
  return (
    <Empty
      icon={Radio}
      title={isFiltered ? "No event has passed this filter yet" : "Waiting for the next event"}
      action={<Button onClick={() => change({ tab: "log" })}>Read the log</Button>}
    >
      Create a task or change an agent, and it appears here at once. What happened before stands in the log.
    </Empty>
  );
}
