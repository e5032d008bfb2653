import { useQuery } from "@tanstack/react-query";
import { api } from "../../api/client";
import { Dialog } from "../../ui/dialog";
import { Empty, Loaded, Notice } from "../../ui/states";
import { Content, ItemFacts, ItemMetadata } from "./item_view";
import type { Item } from "./items";

/** Pages of 500 that are looked through. */
const pagesMax = 20;

/** The API has no address for it, so it is looked for in the agent's list. */
async function find(agentId: string, id: string): Promise<Item | null> {
  let cursor: string | undefined;
  for (let page = 0; page < pagesMax; ++page) {
    const { data } = await api.GET("/api/v1/agents/{agent_id}/knowledge", {
      params: { path: { agent_id: agentId }, query: { limit: 500, cursor } },
    });
    const found = data?.knowledge.find((item) => item.id === id);
    if (found) return found;
    if (!data?.next_cursor) return null;
    cursor = data.next_cursor;
  }
  return null;
}

interface PathlessItemProps {
  agentId: string;
  id: string;
  onClose: () => void;
}

/** An item whose id has a slash: it can be listed and searched, and is shown here, but not changed or deleted. */
export function PathlessItem({ agentId, id, onClose }: PathlessItemProps) {
  const query = useQuery({
    queryKey: ["find", "/api/v1/agents/{agent_id}/knowledge", agentId, id],
    queryFn: () => find(agentId, id),
  });
  return (
    <Dialog isOpen onClose={onClose} title={id} about={`Knowledge of ${agentId}`} isSheet isWide>
      <Loaded
        query={query}
        lines={8}
        isEmpty={(item) => item === null}
        empty={
          <Empty title="Not found">
            No item of this agent has this id, or it lies behind the first{" "}
            {(pagesMax * 500).toLocaleString("en")}.
          </Empty>
        }
      >
        {(item) =>
          item && (
            <div className="flex flex-col gap-4">
              <Notice>
                Its id has a slash or is made of dots, which no address can hold. It is used in answers, but
                cannot be changed or deleted.
              </Notice>
              <ItemFacts item={item} />
              <Content content={item.content} />
              <ItemMetadata item={item} />
            </div>
          )
        }
      </Loaded>
    </Dialog>
  );
}
