import { ScrollText } from "lucide-react";
import { useCallback, useMemo, useState } from "react";
import { $api } from "../../api/client";
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
import { matches } from "./filter";
import { useEventsSearch } from "./use_events_search";

const pageSize = 500;
/** Pages that are searched for agent and text before somebody says to go on. */
const searchPages = 10;
const eventId = (event: LiveEvent) => event.event_id;

function useLog(channels: readonly string[]) {
  return $api.useInfiniteQuery(
    "get",
    "/api/v1/events",
    { params: { query: { limit: pageSize, channel: channels.join(",") || undefined } } },
    {
      pageParamName: "cursor",
      initialPageParam: null,
      getNextPageParam: (page) => (page.more ? page.next_cursor : undefined),
      // What was committed does not change.
      staleTime: Infinity,
      meta: { keepsItself: true },
    },
  );
}

/** The log from its oldest event on. */
export function Log() {
  const [, change] = useEventsSearch();
  const filter = useEventFilter();
  const nameOf = useNameOf();
  const log = useLog(filter.channels);
  const [opened, setOpened] = useState<LiveEvent>();
  const [allowedPages, setAllowedPages] = useState(searchPages);
  const pages = log.data?.pages;
  const rows = useMemo(
    () => (pages ?? []).flatMap((page) => page.events.filter((event) => matches(event, filter))),
    [pages, filter],
  );
  const readPages = pages?.length ?? 0;
  const isSearching = Boolean(filter.agent || filter.text);
  const mayGoOn = log.hasNextPage && (!isSearching || readPages < allowedPages);
  const { fetchNextPage, isFetchingNextPage } = log;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a page in which nothing passes asks for the next one
  const readOn = useCallback(() => {
    if (mayGoOn && !isFetchingNextPage) void fetchNextPage();
  }, [mayGoOn, isFetchingNextPage, fetchNextPage, readPages]);
  const columns = useMemo(() => eventColumns(setOpened, nameOf, true), [nameOf]);
  return (
    <>
      <div className="flex flex-wrap items-center gap-2">
        <EventFilters />
      </div>
      <Panel isFlush className="relative min-h-64 flex-1">
        <Loaded query={log} lines={12} isEmpty={() => rows.length === 0 && !mayGoOn} empty={<NothingFound />}>
          {() => (
            <div className="absolute inset-0">
              <LongTable
                label="Event log"
                rows={rows}
                columns={columns}
                rowKey={eventId}
                onOpen={setOpened}
                onEnd={readOn}
                isLoadingMore={isFetchingNextPage}
              />
            </div>
          )}
        </Loaded>
      </Panel>
      <div className="flex min-h-8 flex-wrap items-center gap-2 text-xs text-muted">
        {formatCount(rows.length)} shown
        {isSearching && ` of ${formatCount(readPages * pageSize)} that were searched`}
        {log.data && !log.hasNextPage && ". This is the end of the log; what comes now is in the live tail."}
        {log.hasNextPage && !mayGoOn && (
          <Button onClick={() => setAllowedPages(readPages + searchPages)}>Search on</Button>
        )}
      </div>
      <EventSheet
        event={opened}
        onClose={() => setOpened(undefined)}
        onCorrelation={(id) => {
          setOpened(undefined);
          change({ q: id, channel: undefined, agent: undefined });
        }}
        nameOf={nameOf}
      />
    </>
  );
}

const NothingFound = () => (
  <Empty icon={ScrollText} title="No event found">
    Events are kept for 90 days. Widen the filter, or search on where the log goes further.
  </Empty>
);
