import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { ArrowLeft, History, Pencil, Trash2 } from "lucide-react";
import { $api, refreshPaths } from "../../api/client";
import { useCan } from "../../api/hooks";
import { Button } from "../../ui/button";
import { Confirm } from "../../ui/dialog";
import { Page, Panel } from "../../ui/page";
import { Loaded } from "../../ui/states";
import { toast, toastError } from "../../ui/toast";
import { EditItem } from "./edit_item";
import { Content, ItemFacts, ItemMetadata } from "./item_view";
import { type Item, titleOf } from "./items";

export function ItemPage() {
  const { agentId, knowledgeId } = useParams({ from: "/signed-in/knowledge/$agentId/$knowledgeId" });
  const { edit } = useSearch({ from: "/signed-in/knowledge/$agentId/$knowledgeId" });
  const navigate = useNavigate({ from: "/knowledge/$agentId/$knowledgeId" });
  const mayWrite = useCan("knowledge:write");
  const query = $api.useQuery("get", "/api/v1/knowledge/{knowledge_id}", {
    params: { path: { knowledge_id: knowledgeId }, query: { agent_id: agentId } },
  });
  const item = query.data;
  const closeEdit = () => void navigate({ search: {}, replace: true });
  return (
    <Page
      title={item ? titleOf(item) : knowledgeId}
      about={
        <Link
          to="/knowledge"
          search={{ agent: agentId }}
          className="inline-flex items-center gap-1 hover:text-text"
        >
          <ArrowLeft aria-hidden className="size-3.5" /> Knowledge of {agentId}
        </Link>
      }
      actions={item && <Actions item={item} mayWrite={mayWrite} />}
    >
      <Loaded query={query} lines={8}>
        {(loaded) => (
          <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_20rem]">
            <div className="flex min-w-0 flex-col gap-4">
              <Content content={loaded.content} />
              <ItemMetadata item={loaded} />
            </div>
            <Panel title="About">
              <ItemFacts item={loaded} />
            </Panel>
          </div>
        )}
      </Loaded>
      {item && edit && mayWrite && <EditItem item={item} onClose={closeEdit} />}
    </Page>
  );
}

function Actions({ item, mayWrite }: { item: Item; mayWrite: boolean }) {
  const maySeeEvents = useCan("events:read");
  return (
    <>
      {maySeeEvents && (
        <Button asChild>
          <Link to="/events/$kind/$" params={{ kind: "knowledge", _splat: `${item.agent_id}/${item.id}` }}>
            <History aria-hidden className="size-4" /> History
          </Link>
        </Button>
      )}
      {mayWrite && <Delete item={item} />}
      {mayWrite && (
        <Button asChild look="primary">
          <Link
            to="/knowledge/$agentId/$knowledgeId"
            params={{ agentId: item.agent_id, knowledgeId: item.id }}
            search={{ edit: true }}
          >
            <Pencil aria-hidden className="size-4" /> Edit
          </Link>
        </Button>
      )}
    </>
  );
}

function Delete({ item }: { item: Item }) {
  const navigate = useNavigate();
  const remove = $api.useMutation("delete", "/api/v1/knowledge/{knowledge_id}", {
    onSuccess: async () => {
      toast("Item deleted");
      // Away first: what is on the screen would be read again, and is gone.
      await navigate({ to: "/knowledge", search: { agent: item.agent_id } });
    },
    onError: (error) => toastError("The item was not deleted", error),
    onSettled: () => refreshPaths("/api/v1/knowledge"),
  });
  return (
    <Confirm
      title="Delete this item?"
      action="Delete item"
      trigger={
        <Button>
          <Trash2 aria-hidden className="size-4" /> Delete
        </Button>
      }
      onConfirm={() =>
        remove.mutateAsync({
          params: {
            path: { knowledge_id: item.id },
            query: { agent_id: item.agent_id },
            header: { "If-Match": `"${item.version}"` },
          },
        })
      }
    >
      {item.agent_id} answers without it from now on. Its history stays, and an import does not bring it back.
    </Confirm>
  );
}
