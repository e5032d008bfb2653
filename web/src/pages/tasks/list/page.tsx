import { useNavigate, useSearch } from "@tanstack/react-router";
import { ArrowUp, ListChecks, Plus } from "lucide-react";
import { useCallback, useMemo, useRef } from "react";
import { useCan } from "../../../api/hooks";
import { cx } from "../../../lib/classes";
import { Button } from "../../../ui/button";
import { Page, Panel } from "../../../ui/page";
import { Empty, Loaded } from "../../../ui/states";
import { LongTable } from "../../../ui/table";
import { CreateDialog } from "../create/dialog";
import { filtersOf, isFiltered, type TaskSearch } from "../filters";
import type { TaskList } from "../task_list";
import type { TaskRow } from "../task_row";
import { useTaskList, useTotal } from "../use_task_list";
import { BulkBar } from "./bulk_bar";
import { taskColumns } from "./columns";
import { FilterBar } from "./filter_bar";
import { FilterChips } from "./filter_chips";
import { ListEnd } from "./list_end";
import { Peek } from "./peek";
import { useListKeys } from "./use_list_keys";
import { useScroll } from "./use_scroll";
import { useSelection } from "./use_selection";

const noRows: readonly TaskRow[] = [];
const keyOf = (row: TaskRow) => row.id;

export function Tasks() {
  const search = useSearch({ from: "/signed-in/tasks" });
  const navigate = useNavigate({ from: "/tasks" });
  const canWrite = useCan("tasks:write");
  const change = useCallback(
    (next: Partial<TaskSearch>) =>
      void navigate({ to: ".", search: (now: TaskSearch) => ({ ...now, ...next }), replace: true }),
    [navigate],
  );
  const open = useCallback(
    (row: TaskRow) => void navigate({ to: "/tasks/$taskId", params: { taskId: row.id } }),
    [navigate],
  );
  const peek = useCallback((id: string) => change({ peek: id }), [change]);
  const filters = filtersOf(search);
  const tasks = useTaskList(filters);
  const { list, query, showNew, view } = tasks;
  const rows = list?.rows ?? noRows;
  const total = useTotal(filters, list);

  const scroller = useRef<HTMLDivElement>(null);
  const bar = useRef<HTMLDivElement>(null);
  useScroll(scroller, view, list, showNew);
  useListKeys({
    scroller,
    onSearch: () => bar.current?.querySelector("input")?.focus(),
    onCreate: () => canWrite && change({ create: true }),
    onPeek: peek,
  });
  const selection = useSelection(rows);
  const columns = useMemo(
    () => taskColumns(canWrite ? selection : undefined, peek),
    [canWrite, selection, peek],
  );
  const filter = (next: Partial<TaskSearch>) => {
    scroller.current?.scrollTo({ top: 0 });
    change(next);
  };
  const chosen = selection.ids.size > 0 ? rows.filter((row) => selection.ids.has(row.id)) : noRows;
  const scrollUp = () => {
    showNew();
    scroller.current?.scrollTo({ top: 0 });
  };
  return (
    <Page
      isFull
      title="Tasks"
      about={total === undefined ? "What agents have done, do and will do." : countOf(total, search)}
      actions={
        canWrite && (
          <Button look="primary" aria-keyshortcuts="c" onClick={() => change({ create: true })}>
            <Plus aria-hidden className="size-4" /> Create task
          </Button>
        )
      }
    >
      <div className="flex flex-col gap-2">
        <FilterBar search={search} onChange={filter} barRef={bar} />
        <FilterChips search={search} onChange={filter} />
      </div>
      <Panel isFlush className="relative min-h-64 flex-1 overflow-hidden">
        {chosen.length > 0 && <BulkBar rows={chosen} onClear={selection.clear} />}
        {list && list.held.length > 0 && <NewTasks list={list} onShow={scrollUp} />}
        <Loaded
          query={query}
          lines={14}
          isEmpty={(data) => data.rows.length === 0 && data.cursor === null}
          empty={<NoTasks isFiltered={isFiltered(filters)} />}
        >
          {(data) => (
            <div
              aria-busy={query.isPlaceholderData}
              className={cx(
                "flex h-full flex-col transition-opacity",
                query.isPlaceholderData && "opacity-50",
              )}
            >
              <div className="min-h-0 flex-1">
                <LongTable
                  label="Tasks"
                  rows={data.rows}
                  columns={columns}
                  rowKey={keyOf}
                  onOpen={open}
                  onEnd={tasks.loadMore}
                  isLoadingMore={tasks.isLoadingMore}
                  total={total}
                  scrollerRef={scroller}
                />
              </div>
              <ListEnd list={data} error={tasks.moreError} onRetry={tasks.loadMore} />
            </div>
          )}
        </Loaded>
      </Panel>
      {canWrite && (
        <CreateDialog
          isOpen={search.create === true}
          agent={search.agent}
          onClose={() => change({ create: undefined })}
        />
      )}
      <Peek id={search.peek} onClose={() => change({ peek: undefined })} />
    </Page>
  );
}

function countOf(total: number, search: TaskSearch): string {
  const tasks = `${total.toLocaleString("en")} task${total === 1 ? "" : "s"}`;
  return isFiltered(filtersOf(search)) ? `${tasks} match.` : `${tasks}, the newest first.`;
}

function NewTasks({ list, onShow }: { list: TaskList; onShow: () => void }) {
  const count = `${list.held.length}${list.hasMissedNew ? "+" : ""}`;
  return (
    <Button
      look="primary"
      className="absolute top-11 left-1/2 z-20 h-7 -translate-x-1/2 animate-appear rounded-lg shadow-float"
      onClick={onShow}
    >
      <ArrowUp aria-hidden className="size-3.5" />
      {count} new task{count === "1" ? "" : "s"}
    </Button>
  );
}

function NoTasks({ isFiltered }: { isFiltered: boolean }) {
  return isFiltered ? (
    <Empty icon={ListChecks} title="No task matches">
      Take a filter away. Tasks that come to match appear by themselves.
    </Empty>
  ) : (
    <Empty icon={ListChecks} title="No task yet">
      Give an agent something to do with "Create task" or the key C, or over the API with POST
      /agents/auto/tasks. It appears here at once.
    </Empty>
  );
}
