import { useCallback, useEffect, useReducer, useRef } from "react";
import { authorizedFetch, idempotencyKey, refreshPaths } from "../../../api/client";
import { ApiError, asApiError, offline } from "../../../api/problem";
import { readEvents } from "../../../lib/sse";
import { actionOf, afterNow, type ChatMessage, entriesOf, exchangesOf, reduce } from "./exchanges";

interface ChatOptions {
  agentId: string;
  /** The conversation that the address names. */
  sessionId: string | undefined;
  history: readonly ChatMessage[];
  /** A conversation was begun by what was said. */
  onBegun: (sessionId: string) => void;
}

const cut = () =>
  new ApiError(0, { code: "cut", detail: "The answer was cut off: the server closed the connection." });

/** Talks with an agent. Answers go on while another conversation is looked at, and end with the page. */
export function useChat({ agentId, sessionId, history, onBegun }: ChatOptions) {
  const [all, dispatch] = useReducer(reduce, []);
  const running = useRef(new Map<string, AbortController>());
  const latest = useRef({ sessionId, onBegun });
  latest.current = { sessionId, onBegun };

  useEffect(() => {
    const controllers = running.current;
    return () => {
      for (const controller of controllers.values()) controller.abort();
    };
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another conversation is opened when its id changes
  useEffect(() => dispatch({ type: "opened" }), [sessionId]);

  const exchanges = exchangesOf(all, sessionId);
  const after = afterNow(history, exchanges);

  const run = useCallback(
    async (id: string, message: string, session: string | undefined, signal: AbortSignal) => {
      const response = await authorizedFetch(`/api/v1/agents/${encodeURIComponent(agentId)}/chat`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ message, session_id: session, stream: true }),
        signal,
      });
      for await (const { event, data } of readEvents(response)) {
        const action = actionOf(id, event, data);
        if (!action) continue;
        dispatch(action);
        if (action.type === "begun" && !session && latest.current.sessionId === undefined)
          latest.current.onBegun(action.sessionId);
        if (action.type === "ended" || action.type === "failed") return;
      }
      throw cut();
    },
    [agentId],
  );

  const ask = useCallback(
    async (question: string) => {
      const id = idempotencyKey();
      const controller = new AbortController();
      running.current.set(id, controller);
      dispatch({ type: "asked", id, question, sessionId, after });
      try {
        await run(id, question, sessionId, controller.signal);
      } catch (error) {
        if (controller.signal.aborted) dispatch({ type: "stopped", id });
        else
          dispatch({ type: "failed", id, error: error instanceof TypeError ? offline() : asApiError(error) });
      } finally {
        running.current.delete(id);
        refreshPaths("/api/v1/sessions");
      }
    },
    [run, sessionId, after],
  );

  return {
    entries: entriesOf(history, exchanges),
    runningId: exchanges.find((exchange) => exchange.phase === "running")?.id,
    ask,
    stop: (id: string) => running.current.get(id)?.abort(),
    remove: (id: string) => dispatch({ type: "removed", id }),
    /** Begins anew, also when nothing had come of what was begun before. */
    clear: () => dispatch({ type: "opened" }),
  };
}

export type Chat = ReturnType<typeof useChat>;
