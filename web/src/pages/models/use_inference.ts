import { useCallback, useEffect, useRef, useState } from "react";
import { authorizedFetch, type Schemas } from "../../api/client";
import { type ApiError, asApiError } from "../../api/problem";
import { readAnswer } from "./inference_stream";

export interface Answer {
  phase: "asking" | "done" | "stopped" | "failed";
  text: string;
  /** As the provider names it; empty until it says so. */
  model: string;
  tokens?: number;
  /** Until the first words came, and in all. */
  firstMs?: number;
  totalMs?: number;
  error?: ApiError;
}

const begun: Answer = { phase: "asking", text: "", model: "" };

async function ask(
  request: Schemas["InferenceRequestCreate"],
  signal: AbortSignal,
  onChange: (change: (before: Answer) => Answer) => void,
) {
  const startedAt = performance.now();
  const elapsed = () => performance.now() - startedAt;
  const response = await authorizedFetch(`${location.origin}/api/v1/inference`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ...request, stream: true }),
    signal,
  });
  if (!response.body) return;
  await readAnswer(response.body, (line) =>
    onChange((before) => {
      if (line.type === "stream_end")
        return { ...before, phase: "done", tokens: line.tokens_used, totalMs: elapsed() };
      const text = before.text + line.content;
      return { ...before, text, model: line.model_id, firstMs: before.firstMs ?? elapsed() };
    }),
  );
}

/** One question to a model at a time. Leaving the page ends the call, and what it costs. */
export function useInference() {
  const [answer, setAnswer] = useState<Answer>();
  const running = useRef<AbortController>(undefined);
  useEffect(() => () => running.current?.abort(), []);

  const start = useCallback(async (request: Schemas["InferenceRequestCreate"]) => {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    const change = (how: (before: Answer) => Answer) => {
      if (running.current === controller) setAnswer((before) => how(before ?? begun));
    };
    setAnswer(begun);
    try {
      await ask(request, controller.signal, change);
    } catch (error) {
      const isStopped = controller.signal.aborted;
      change((before) => ({
        ...before,
        phase: isStopped ? "stopped" : "failed",
        error: isStopped ? undefined : asApiError(error),
      }));
    }
  }, []);
  const stop = useCallback(() => running.current?.abort(), []);
  return { answer, start, stop };
}
