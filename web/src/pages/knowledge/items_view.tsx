import { useNavigate, useSearch } from "@tanstack/react-router";
import { BookOpen } from "lucide-react";
import { useCallback, useMemo } from "react";
import { useCan } from "../../api/hooks";
import { Select } from "../../ui/field";
import { Panel } from "../../ui/page";
import { SearchInput } from "../../ui/search";
import { Empty, Loaded } from "../../ui/states";
import { AgentFilter, CategoryFilter } from "./filters";
import { ItemsTable } from "./items_table";
import type { KnowledgeSearch } from "./search";
import { SearchResults } from "./search_results";
import { useItems } from "./use_items";

/** The list, or what answers the question that was typed. */
export function Items() {
  const search = useSearch({ from: "/signed-in/knowledge" });
  const navigate = useNavigate({ from: "/knowledge" });
  const { query, items, total } = useItems(search);
  const categories = useMemo(() => [...new Set(items.map((item) => item.category))].sort(), [items]);
  const change = useCallback(
    (next: KnowledgeSearch) =>
      void navigate({
        search: (before) => ({ ...before, ...next, item: undefined }),
        replace: true,
      }),
    [navigate],
  );
  const ask = useCallback((q: string) => change({ q: q || undefined }), [change]);
  return (
    <>
      <div className="grid grid-cols-2 items-center gap-2 sm:flex sm:flex-wrap">
        <SearchInput
          label="Ask what agents know"
          className="col-span-2 sm:w-80"
          value={search.q ?? ""}
          onChange={ask}
        />
        <AgentFilter value={search.agent} onChange={(agent) => change({ agent })} />
        <CategoryFilter
          value={search.category ?? ""}
          known={categories}
          onChange={(category) => change({ category: category || undefined })}
        />
        {!search.q && (
          <Select
            aria-label="Order"
            className="w-full sm:w-44"
            value={search.order ?? ""}
            onChange={(event) => change({ order: event.target.value === "usage" ? "usage" : undefined })}
          >
            <option value="">By agent and id</option>
            <option value="usage">Most used first</option>
          </Select>
        )}
        {!search.q && total !== undefined && (
          <span className="ml-auto text-muted tabular-nums" role="status">
            {total.toLocaleString("en")} {total === 1 ? "item" : "items"}
          </span>
        )}
      </div>
      {search.q ? (
        <SearchResults question={search.q} agent={search.agent} category={search.category} />
      ) : (
        <Panel isFlush className="min-h-0 flex-1">
          <Loaded query={query} lines={9} isEmpty={() => items.length === 0} empty={<NoItems {...search} />}>
            {() => (
              <ItemsTable
                items={items}
                total={total}
                isLoadingMore={query.isFetchingNextPage}
                onEnd={() => {
                  if (query.hasNextPage && !query.isFetching) void query.fetchNextPage();
                }}
              />
            )}
          </Loaded>
        </Panel>
      )}
    </>
  );
}

function NoItems({ agent, category }: KnowledgeSearch) {
  const mayWrite = useCan("knowledge:write");
  if (category || agent) {
    return (
      <Empty title="Nothing here" icon={BookOpen}>
        {category
          ? "No item has exactly this category. Choose another one, or all agents."
          : "This agent knows nothing yet, and answers from its model alone."}
      </Empty>
    );
  }
  return (
    <Empty title="No knowledge yet" icon={BookOpen}>
      {mayWrite
        ? "Import the files of an .agent-knowledge directory or documents of your own, or add an item by hand."
        : "Somebody with knowledge:write adds it."}
    </Empty>
  );
}
