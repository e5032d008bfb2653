import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { api, type Schemas } from "../../../api/client";
import { useEvents } from "../../../api/hooks";
import { useNameOf } from "../../../api/people";
import { formatExact, formatWords } from "../../../lib/format";
import { Button } from "../../../ui/button";
import { Dialog } from "../../../ui/dialog";
import { Json } from "../../../ui/json";
import { Name } from "../../../ui/name";
import { Facts, Panel } from "../../../ui/page";
import { Empty, Loaded } from "../../../ui/states";
import { type Column, Table } from "../../../ui/table";
import { Time } from "../../../ui/time";
import type { Task } from "../filters";

type Event = Schemas["Event"];
type NameOf = ReturnType<typeof useNameOf>;

const pageSize = 100;

function useHistory(id: string) {
  const query = useInfiniteQuery({
    queryKey: ["get", "/api/v1/events/replay", { task: id }],
    queryFn: async ({ pageParam, signal }) => {
      const query = { kind: "task", aggregate_id: id, limit: pageSize, cursor: pageParam };
      const { data } = await api.GET("/api/v1/events/replay", { params: { query }, signal });
      return data as { events: Event[]; next_cursor: string | null };
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    meta: { keepsItself: true },
  });
  useEvents((events) => {
    // What it has written so far is seen on the answer; its end brings the rest.
    const isChanged = events.some((event) => event.aggregate_id === id && event.channel !== "task:progress");
    if (isChanged) void query.refetch();
  });
  return query;
}

const columns = (nameOf: NameOf, onOpen: (event: Event) => void): Column<Event>[] => [
  {
    key: "version",
    name: "Version",
    width: "5rem",
    isNumber: true,
    render: (event) => event.version,
  },
  {
    key: "change",
    name: "Change",
    width: "minmax(8rem, 1fr)",
    render: (event) => (
      <button type="button" onClick={() => onOpen(event)} className="rounded-sm font-medium hover:underline">
        {formatWords(event.channel.split(":")[1] ?? event.channel)}
      </button>
    ),
  },
  {
    key: "who",
    name: "By",
    width: "minmax(8rem, 12rem)",
    render: (event) => <Name id={event.metadata.user_id} nameOf={nameOf} />,
  },
  { key: "service", name: "Service", width: "9rem", isExtra: true, render: (event) => event.service },
  {
    key: "time",
    name: "When",
    width: "7rem",
    isNumber: true,
    render: (event) => <Time at={event.timestamp} className="text-muted" />,
  },
];

/** Everything that happened to the task, version by version. */
export function TaskEvents({ task }: { task: Task }) {
  const query = useHistory(task.id);
  const nameOf = useNameOf();
  const [shown, setShown] = useState<Event>();
  return (
    <Panel
      isFlush
      title="Events"
      actions={
        <Button asChild look="quiet">
          <Link to="/events/$kind/$" params={{ kind: "task", _splat: task.id }}>
            Step through
          </Link>
        </Button>
      }
    >
      <Loaded
        query={query}
        isEmpty={(data) => data.pages.every((page) => page.events.length === 0)}
        empty={<Empty title="No events left">They are archived after 90 days.</Empty>}
      >
        {(data) => (
          <>
            <Table
              label="Events of the task"
              rows={data.pages.flatMap((page) => page.events)}
              columns={columns(nameOf, setShown)}
              rowKey={(event) => event.event_id}
              onOpen={setShown}
            />
            {query.hasNextPage && (
              <div className="p-3 text-center">
                <Button isBusy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                  Later events
                </Button>
              </div>
            )}
          </>
        )}
      </Loaded>
      {shown && <EventSheet event={shown} nameOf={nameOf} onClose={() => setShown(undefined)} />}
    </Panel>
  );
}

interface EventSheetProps {
  event: Event;
  nameOf: NameOf;
  onClose: () => void;
}

function EventSheet({ event, nameOf, onClose }: EventSheetProps) {
  return (
    <Dialog isSheet isOpen onClose={onClose} title={event.channel} about={`Version ${event.version}`}>
      <div className="flex flex-col gap-4">
        <Facts
          facts={[
            ["When", formatExact(event.timestamp)],
            ["By", <Name key="by" id={event.metadata.user_id} nameOf={nameOf} />],
            ["Service", event.service],
            [
              "Request",
              <code key="id" className="font-mono text-xs break-all">
                {event.metadata.correlation_id}
              </code>,
            ],
          ]}
        />
        <Json value={event.data} label="Copy task" />
      </div>
    </Dialog>
  );
}
