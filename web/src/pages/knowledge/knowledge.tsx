import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { Import, Plus } from "lucide-react";
import { useCan } from "../../api/hooks";
import { Button } from "../../ui/button";
import { Page } from "../../ui/page";
import { Tabs } from "../../ui/tabs";
import { AddItem } from "./add_item";
import { Items } from "./items_view";
import { PathlessItem } from "./pathless_item";
import type { KnowledgeSearch } from "./search";
import { Usage } from "./usage";

export function Knowledge() {
  const search = useSearch({ from: "/signed-in/knowledge" });
  const navigate = useNavigate({ from: "/knowledge" });
  const mayWrite = useCan("knowledge:write");
  const showTab = (tab: string) =>
    void navigate({ search: { agent: search.agent, tab: tab === "usage" ? "usage" : undefined } });
  const closeDialogs = () =>
    void navigate({
      search: (before) => ({ ...before, add: undefined, item: undefined }),
      replace: true,
    });
  return (
    <Page
      title="Knowledge"
      about="What agents answer from."
      isFull={search.tab !== "usage"}
      actions={mayWrite && <Actions search={search} />}
    >
      <Tabs
        label="Views of knowledge"
        value={search.tab ?? "items"}
        onChange={showTab}
        tabs={[
          { value: "items", label: "Items", content: <Items /> },
          { value: "usage", label: "Usage", content: <Usage /> },
        ]}
      />
      {search.add && mayWrite && <AddItem agent={search.agent} onClose={closeDialogs} />}
      {search.item && search.agent && (
        <PathlessItem agentId={search.agent} id={search.item} onClose={closeDialogs} />
      )}
    </Page>
  );
}

function Actions({ search }: { search: KnowledgeSearch }) {
  return (
    <>
      <Button asChild>
        <Link to="/knowledge/import" search={{ agent: search.agent }}>
          <Import aria-hidden className="size-4" /> Import files
        </Link>
      </Button>
      <Button asChild look="primary">
        <Link from="/knowledge" to="." search={(before) => ({ ...before, add: true as const })}>
          <Plus aria-hidden className="size-4" /> Add knowledge
        </Link>
      </Button>
    </>
  );
}
