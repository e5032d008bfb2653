import { ArrowUp, Pause, Play, ScrollText } from "lucide-react";
import { useCallback, useMemo, useRef, useState } from "react";
import type { LiveEvent } from "../../api/live";
import { useNameOf } from "../../api/people";
import { formatCount } from "../../lib/format";
import { Button } from "../../ui/button";
import { Panel } from "../../ui/page";
import { Empty, Loaded } from "../../ui/states";
import { LongTable } from "../../ui/table";
import { eventColumns } from "./event_columns";
import { EventFilters, useEventFilter } from "./event_filters";
import { EventSheet } from "./event_sheet";
import { isFiltered } from "./filter";
import { useEventsSearch } from "./use_events_search";
import { useLog } from "./use_log";

const eventId = (event: LiveEvent) => event.event_id;
/** Who has scrolled further than this is reading, and nothing may move under their eyes. */
const readingPx = 8;
/** Pages that are searched for what passes a filter before somebody says to go on. */
const searchPages = 10;

/** Every event, the newest first, as they come. It holds still while somebody reads further down. */
export function Log() {
  const [, change] = useEventsSearch();
  const filter = useEventFilter();
  const nameOf = useNameOf();
  const scroller = useRef<HTMLDivElement>(null);
  const [isPaused, setPaused] = useState(false);
  const [isReading, setReading] = useState(false);
  const [opened, setOpened] = useState<LiveEvent>();
  const [allowedPages, setAllowedPages] = useState(searchPages);
  const { rows, waiting, isHeld, query, readPages } = useLog(filter, isPaused || isReading);
  const columns = useMemo(() => eventColumns(setOpened, nameOf), [nameOf]);
  const follow = useCallback(() => {
    setPaused(false);
    setReading(false);
    scroller.current?.scrollTo({ top: 0 });
  }, []);
  const { fetchNextPage, isFetchingNextPage, hasNextPage } = query;
  const mayGoOn = hasNextPage && (!isFiltered(filter) || readPages < allowedPages);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a page in which nothing passes asks for the next one
  const readOn = useCallback(() => {
    if (mayGoOn && !isFetchingNextPage) void fetchNextPage();
  }, [mayGoOn, isFetchingNextPage, fetchNextPage, readPages]);
  const showCorrelation = (correlation: string) => {
    setOpened(undefined);
    change({ correlation, channel: undefined, agent: undefined, q: undefined });
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
        <Loaded
          query={query}
          lines={12}
          isEmpty={() => rows.length === 0 && !mayGoOn}
          empty={<NothingFound isFiltered={isFiltered(filter)} />}
        >
          {() => (
            <div
              className="absolute inset-0"
              onScrollCapture={(event) => setReading((event.target as HTMLElement).scrollTop > readingPx)}
            >
              <LongTable
                label="Events"
                rows={rows}
                columns={columns}
                rowKey={eventId}
                onOpen={setOpened}
                onEnd={readOn}
                isLoadingMore={isFetchingNextPage}
                scrollerRef={scroller}
              />
            </div>
          )}
        </Loaded>
      </Panel>
      <div className="flex min-h-8 flex-wrap items-center gap-2 text-xs text-muted">
        <span>
          {formatCount(rows.length)} shown
          {query.data && !hasNextPage && ", down to where the log begins"}.
          {hasNextPage && !mayGoOn && " Older ones were not searched yet."}
        </span>
        {hasNextPage && !mayGoOn && (
          <Button onClick={() => setAllowedPages(readPages + searchPages)}>Search on</Button>
        )}
      </div>
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

const NothingFound = ({ isFiltered }: { isFiltered: boolean }) => (
  <Empty icon={ScrollText} title={isFiltered ? "No event passes this filter" : "No event yet"}>
    {isFiltered
      ? "Events are kept for 90 days. Widen the filter; what comes to pass it appears by itself."
      : "Create a task or change an agent, and it appears here at once."}
  </Empty>
);
