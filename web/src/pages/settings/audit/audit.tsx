import { getRouteApi } from "@tanstack/react-router";
import { ScrollText } from "lucide-react";
import { useCallback } from "react";
import { type People, usePeople } from "../../../api/people";
import { StateBadge } from "../../../ui/badge";
import { Page, Panel } from "../../../ui/page";
import { Empty, Loaded } from "../../../ui/states";
import { type Column, LongTable } from "../../../ui/table";
import { Time } from "../../../ui/time";
import { type AuditEntry, actionWords } from "./entries";
import { EntrySheet } from "./entry_sheet";
import { Filters } from "./filters";
import { Name, TargetName } from "./name";
import { useEntries } from "./use_entries";
import { Verify } from "./verify";

const route = getRouteApi("/signed-in/settings/audit");

/** Who did what to whose access, and who tried to. */
export function Audit() {
  const { entry: openId, ...filter } = route.useSearch();
  const navigate = route.useNavigate();
  const people = usePeople();
  const entries = useEntries(filter);
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = entries;
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const open = (id: string | undefined) =>
    void navigate({ search: (before) => ({ ...before, entry: id }), replace: id === undefined });
  return (
    <Page
      title="Audit log"
      about="Every change of access, and every refused sign-in. Nobody changes an entry unnoticed."
      actions={<Verify />}
      isFull
    >
      <Filters
        filter={filter}
        people={people}
        onChange={(next) => void navigate({ search: next, replace: true })}
      />
      <Panel isFlush className="min-h-72 flex-1">
        <Loaded
          query={entries}
          lines={10}
          isEmpty={(all) => all.length === 0}
          empty={
            <Empty title="No entry like this" icon={ScrollText}>
              Take a filter away to see more.
            </Empty>
          }
        >
          {(all) => (
            <LongTable
              label="Audit log"
              rows={all}
              columns={columns(people, open)}
              rowKey={(entry) => entry.id}
              onOpen={(entry) => open(entry.id)}
              onEnd={more}
              isLoadingMore={isFetchingNextPage}
            />
          )}
        </Loaded>
      </Panel>
      <EntrySheet
        id={openId}
        listed={entries.data?.find((entry) => entry.id === openId)}
        people={people}
        onClose={() => open(undefined)}
        onFilter={(next) => void navigate({ search: next })}
      />
    </Page>
  );
}

const columns = (people: People, open: (id: string) => void): Column<AuditEntry>[] => [
  {
    key: "at",
    name: "When",
    width: "6.5rem",
    render: (entry) => <Time at={entry.at} className="text-muted" />,
  },
  {
    key: "action",
    name: "Action",
    width: "minmax(9rem, 1.5fr)",
    render: (entry) => (
      <button
        type="button"
        onClick={() => open(entry.id)}
        className="max-w-full truncate font-medium hover:underline"
      >
        {actionWords(entry.action)}
      </button>
    ),
  },
  {
    key: "actor",
    name: "By",
    width: "minmax(8rem, 1.5fr)",
    isExtra: true,
    render: (entry) => <Name id={entry.actor} people={people} />,
  },
  {
    key: "target",
    name: "On",
    width: "minmax(8rem, 1.5fr)",
    isExtra: true,
    render: (entry) => <TargetName entry={entry} people={people} />,
  },
  {
    key: "outcome",
    name: "Outcome",
    width: "7.75rem",
    render: (entry) => <StateBadge state={entry.outcome} />,
  },
  {
    key: "address",
    name: "From",
    width: "8rem",
    isExtra: true,
    render: (entry) => <span className="font-mono text-xs text-muted">{entry.address}</span>,
  },
];
