import { CheckCircle2 } from "lucide-react";
import { useCallback, useMemo } from "react";
import { $api, type Schemas } from "../../api/client";
import { paging } from "../../api/pages";
import { StateBadge } from "../../ui/badge";
import { Select } from "../../ui/field";
import { Panel } from "../../ui/page";
import { SearchInput } from "../../ui/search";
import { Empty, Loaded } from "../../ui/states";
import { type Column, LongTable } from "../../ui/table";
import { Time } from "../../ui/time";
import { meaningOfState } from "./dead_letter_parts";
import { DeadLetterSheet } from "./dead_letter_sheet";
import { ChannelBadge } from "./event_columns";
import { RetryAll } from "./retry_all";
import { deadLetterStates } from "./search";
import { useEventsSearch } from "./use_events_search";

type DeadLetter = Schemas["DeadLetter"];

const columnsOf = (open: (letter: DeadLetter) => void): Column<DeadLetter>[] => [
  { key: "state", name: "State", width: "6.5rem", render: ({ state }) => <StateBadge state={state} /> },
  {
    key: "channel",
    name: "Event",
    width: "minmax(9rem, 13rem)",
    render: ({ channel }) => <ChannelBadge channel={channel} />,
  },
  {
    key: "aggregate",
    name: "Of",
    width: "minmax(6rem, 16rem)",
    render: (letter) => (
      <button
        type="button"
        onClick={() => open(letter)}
        className="max-w-full truncate rounded-sm font-mono text-xs text-accent hover:underline"
      >
        {letter.aggregate_id}
      </button>
    ),
  },
  { key: "consumer", name: "Consumer", width: "10rem", isExtra: true, render: ({ consumer }) => consumer },
  {
    key: "error",
    name: "Error",
    width: "minmax(10rem, 1fr)",
    isExtra: true,
    render: ({ error }) => <span className="text-muted">{error}</span>,
  },
  {
    key: "attempts",
    name: "Tries",
    width: "4.5rem",
    isNumber: true,
    isExtra: true,
    render: ({ attempts }) => attempts,
  },
  {
    key: "failed",
    name: "Failed",
    width: "7rem",
    isExtra: true,
    render: ({ failed_at }) => <Time at={failed_at} />,
  },
];

const letterId = (letter: DeadLetter) => letter.id;

/** What consumers could not handle. */
export function DeadLetters() {
  const [{ consumer, channel, state, letter }, change] = useEventsSearch();
  const letters = $api.useInfiniteQuery(
    "get",
    "/api/v1/dead-letters",
    { params: { query: { consumer, channel, state } } },
    {
      ...paging,
      // Failures of handlers are no events themselves.
      refetchInterval: 10_000,
    },
  );
  const rows = letters.data?.pages.flatMap((page) => page.dead_letters) ?? [];
  const open = useCallback((chosen: DeadLetter) => change({ letter: chosen.id }), [change]);
  const columns = useMemo(() => columnsOf(open), [open]);
  const isFiltered = Boolean(consumer || channel || state);
  return (
    <>
      <Filters />
      <Panel isFlush>
        <Loaded query={letters} isEmpty={() => rows.length === 0} empty={<None isFiltered={isFiltered} />}>
          {() => (
            <div
              style={{ height: `min(${rows.length * 36 + 40}px, calc(100dvh - 20rem))` }}
              className="min-h-40"
            >
              <LongTable
                label="Dead letters"
                rows={rows}
                columns={columns}
                rowKey={letterId}
                onOpen={open}
                onEnd={() => letters.hasNextPage && !letters.isFetching && void letters.fetchNextPage()}
                isLoadingMore={letters.isFetchingNextPage}
              />
            </div>
          )}
        </Loaded>
      </Panel>
      <States />
      <DeadLetterSheet id={letter} onClose={() => change({ letter: undefined })} />
    </>
  );
}

function Filters() {
  const [{ consumer, channel, state }, change] = useEventsSearch();
  const setConsumer = useCallback((text: string) => change({ consumer: text.trim() || undefined }), [change]);
  const setChannel = useCallback((text: string) => change({ channel: text.trim() || undefined }), [change]);
  return (
    <div className="flex flex-wrap items-center gap-2">
      <Select
        aria-label="State"
        value={state ?? ""}
        onChange={(event) => change({ state: deadLetterStates.find((each) => each === event.target.value) })}
        className="sm:w-40"
      >
        <option value="">All states</option>
        {deadLetterStates.map((each) => (
          <option key={each}>{each}</option>
        ))}
      </Select>
      <SearchInput label="Consumer" value={consumer ?? ""} onChange={setConsumer} className="sm:w-48" />
      <SearchInput label="Channel" value={channel ?? ""} onChange={setChannel} className="sm:w-48" />
      <div className="flex-1" />
      <RetryAll />
    </div>
  );
}

function None({ isFiltered }: { isFiltered: boolean }) {
  return isFiltered ? (
    <Empty title="No dead letter passes this filter">Choose another state, consumer or channel.</Empty>
  ) : (
    <Empty icon={CheckCircle2} title="No dead letters, and that is good">
      Every consumer has handled every event that it got. One that fails is tried five times; what still fails
      then is parked here, with its error.
    </Empty>
  );
}

function States() {
  return (
    <dl className="grid gap-x-4 gap-y-1.5 text-xs text-muted sm:grid-cols-[auto_1fr]">
      {deadLetterStates.map((state) => (
        <div key={state} className="contents">
          <dt>
            <StateBadge state={state} />
          </dt>
          <dd className="self-center">{meaningOfState[state]}</dd>
        </div>
      ))}
    </dl>
  );
}
