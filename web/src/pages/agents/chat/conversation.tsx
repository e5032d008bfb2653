import { ArrowDown, MessagesSquare } from "lucide-react";
import { useMemo } from "react";
import { Button } from "../../../ui/button";
import { Empty, Failure, Skeleton } from "../../../ui/states";
import type { Agent } from "../search";
import { Composer } from "./composer";
import type { Entry } from "./exchanges";
import { ExchangeView, MessageView } from "./messages";
import type { Chat } from "./use_chat";
import { useStickToEnd } from "./use_stick_to_end";

interface ConversationProps {
  agent: Agent;
  sessionId: string | undefined;
  history: { error: unknown; data: unknown; isLoading: boolean; refetch: () => unknown };
  chat: Chat;
}

export function Conversation({ agent, sessionId, history, chat }: ConversationProps) {
  const { entries, runningId } = chat;
  const end = useStickToEnd(sessionId ?? "new");
  const ask = (question: string) => {
    end.toEnd();
    void chat.ask(question);
  };
  const again = (entry: Extract<Entry, { kind: "exchange" }>) => {
    chat.remove(entry.exchange.id);
    ask(entry.exchange.question);
  };
  const isFailed = Boolean(history.error) && !history.data;
  return (
    <>
      <div className="relative min-h-0 flex-1">
        <div
          ref={end.scroller}
          onScroll={end.onScroll}
          tabIndex={0}
          className="h-full overflow-y-auto -outline-offset-2"
        >
          <div ref={end.content} className="mx-auto flex max-w-3xl flex-col gap-5 px-4 py-5">
            {isFailed && <Failure error={history.error} onRetry={() => void history.refetch()} />}
            {history.isLoading && entries.length === 0 && <Skeleton lines={5} />}
            {!sessionId && entries.length === 0 && <Beginning agent={agent} />}
            {entries.map((entry) =>
              entry.kind === "message" ? (
                <MessageView
                  key={entry.message.seq}
                  message={entry.message}
                  answer={entry.answer}
                  agentName={agent.name}
                />
              ) : (
                <ExchangeView
                  key={entry.exchange.id}
                  exchange={entry.exchange}
                  agentName={agent.name}
                  onRetry={() => again(entry)}
                />
              ),
            )}
          </div>
        </div>
        {!end.isAtEnd && (
          <Button onClick={end.toEnd} className="absolute bottom-3 left-1/2 -translate-x-1/2 shadow-float">
            <ArrowDown aria-hidden className="size-4" /> To the latest
          </Button>
        )}
      </div>
      <Spoken entries={entries} agentName={agent.name} />
      <Composer
        agentName={agent.name}
        isRunning={runningId !== undefined}
        onSend={ask}
        onStop={() => runningId && chat.stop(runningId)}
      />
    </>
  );
}

function Beginning({ agent }: { agent: Agent }) {
  return (
    <Empty icon={MessagesSquare} title={`Talk with ${agent.name}`}>
      It answers from what it knows and names its sources. It remembers the conversation.
      {agent.capabilities.length > 0 && ` Good at: ${agent.capabilities.slice(0, 4).join(", ")}.`}
    </Empty>
  );
}

/** For those who hear the page: an answer once, when it is whole, and not word by word. */
function Spoken({ entries, agentName }: { entries: Entry[]; agentName: string }) {
  const last = entries.at(-1);
  const said = useMemo(() => {
    if (last?.kind !== "exchange") return last?.message.role === "assistant" ? last.message.content : "";
    const { phase, answer, error } = last.exchange;
    if (phase === "running") return `${agentName} is answering.`;
    if (phase === "failed") return "";
    return phase === "stopped" ? "Stopped." : answer.text || error?.message || "";
  }, [last, agentName]);
  return (
    <div role="status" aria-live="polite" className="sr-only">
      {said}
    </div>
  );
}
