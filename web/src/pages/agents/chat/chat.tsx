import { useNavigate } from "@tanstack/react-router";
import { History, MessagesSquare } from "lucide-react";
import { useState } from "react";
import { $api, api, refreshPaths } from "../../../api/client";
import { Button } from "../../../ui/button";
import { Dialog } from "../../../ui/dialog";
import { toastError } from "../../../ui/toast";
import type { Agent } from "../search";
import { Conversation } from "./conversation";
import { SessionList } from "./session_list";
import { useChat } from "./use_chat";

interface ChatProps {
  agent: Agent;
  /** The conversation that the address names; a new one without. */
  sessionId: string | undefined;
}

/** As many as the API gives; older ones cannot be read. */
const historyMax = 500;

export function Chat({ agent, sessionId }: ChatProps) {
  const navigate = useNavigate({ from: "/agents/$agentId" });
  const [isListOpen, setListOpen] = useState(false);
  const open = (session: string | undefined, replace = false) =>
    void navigate({ search: { tab: "chat", session }, replace });
  const history = $api.useQuery(
    "get",
    "/api/v1/sessions/{session_id}/history",
    { params: { path: { session_id: sessionId ?? "" }, query: { limit: historyMax } } },
    { enabled: sessionId !== undefined },
  );
  const chat = useChat({
    agentId: agent.id,
    sessionId,
    history: history.data?.messages ?? [],
    onBegun: (session) => open(session, true),
  });
  const begin = () => {
    setListOpen(false);
    chat.clear();
    open(undefined);
  };
  const remove = async (session: string) => {
    try {
      await api.DELETE("/api/v1/sessions/{session_id}", { params: { path: { session_id: session } } });
    } catch (error) {
      toastError("The conversation was not deleted", error);
      throw error;
    }
    if (session === sessionId) begin();
    refreshPaths("/api/v1/sessions");
  };
  const list = <SessionList agentId={agent.id} sessionId={sessionId} onNew={begin} onDelete={remove} />;
  return (
    <section className="flex min-h-0 flex-1 overflow-hidden rounded-lg border border-line bg-surface shadow-card">
      <aside className="hidden w-56 shrink-0 flex-col border-r border-line md:flex">{list}</aside>
      <div className="flex min-w-0 flex-1 flex-col">
        <div className="flex items-center justify-between border-b border-line p-2 md:hidden">
          <Button look="quiet" onClick={() => setListOpen(true)}>
            <History aria-hidden className="size-4" /> Conversations
          </Button>
          <Button look="quiet" onClick={begin}>
            <MessagesSquare aria-hidden className="size-4" /> New
          </Button>
        </div>
        <Conversation agent={agent} sessionId={sessionId} history={history} chat={chat} />
      </div>
      <Dialog isOpen={isListOpen} onClose={() => setListOpen(false)} title="Conversations" isSheet>
        {list}
      </Dialog>
    </section>
  );
}
