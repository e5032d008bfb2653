import { RotateCw } from "lucide-react";
import { lazy, memo, type ReactNode, Suspense, useDeferredValue } from "react";
import { formatCount } from "../../../lib/format";
import { Button } from "../../../ui/button";
import { CopyButton } from "../../../ui/copy";
import { Notice } from "../../../ui/states";
import { Time } from "../../../ui/time";
import { type Answer, answerOf, type ChatMessage, type Exchange } from "./exchanges";
import { Sources } from "./sources";

const LazyMarkdown = lazy(() => import("../../../ui/markdown"));

/** Long answers are read anew with every word: that may wait for what the reader does. */
const Rendered = memo(function Rendered({ text }: { text: string }) {
  return (
    <div className="text-base">
      <Suspense fallback={<p className="whitespace-pre-wrap">{text}</p>}>
        <LazyMarkdown text={text} />
      </Suspense>
    </div>
  );
});

function Question({ text }: { text: string }) {
  return (
    <div className="ml-auto max-w-[85%] rounded-lg bg-neutral-soft px-3 py-2 text-base break-words whitespace-pre-wrap">
      <span className="sr-only">You: </span>
      {text}
    </div>
  );
}

interface AnswerViewProps {
  agentName: string;
  answer: Answer;
  at?: string;
  /** It is still being written. */
  isRunning?: boolean;
  children?: ReactNode;
}

function AnswerView({ agentName, answer, at, isRunning, children }: AnswerViewProps) {
  const text = useDeferredValue(answer.text);
  return (
    <article aria-label={`Answer of ${agentName}`} className="flex min-w-0 flex-col gap-2">
      {text && <Rendered text={text} />}
      {isRunning && <Writing hasText={text !== ""} />}
      {answer.finish === "length" && (
        <Notice>The answer was cut at the limit of max_tokens in the agent's config.</Notice>
      )}
      <Sources sources={answer.sources} />
      {answer.model && <About answer={answer} at={at} />}
      {children}
    </article>
  );
}

function Writing({ hasText }: { hasText: boolean }) {
  return (
    <div className="flex items-center gap-2 text-xs text-muted">
      <span aria-hidden className="size-1.5 animate-pulse-soft rounded-full bg-run" />
      {hasText ? "Writing" : "Thinking"}
    </div>
  );
}

function About({ answer, at }: { answer: Answer; at?: string }) {
  const tokens =
    answer.input_tokens !== undefined || answer.output_tokens !== undefined
      ? `${formatCount(answer.input_tokens)} tokens read, ${formatCount(answer.output_tokens)} written`
      : undefined;
  return (
    <div className="flex flex-wrap items-center gap-x-3 text-xs text-muted">
      {answer.model && <span className="font-mono">{answer.model}</span>}
      {tokens && <span className="tabular-nums">{tokens}</span>}
      {at && <Time at={at} />}
      <CopyButton text={answer.text} label="Copy answer" />
    </div>
  );
}

export const MessageView = memo(function MessageView({
  message,
  answer,
  agentName,
}: {
  message: ChatMessage;
  answer?: Answer;
  agentName: string;
}) {
  if (message.role === "user") return <Question text={message.content} />;
  if (message.role === "system") {
    return <div className="text-center text-xs whitespace-pre-wrap text-muted">{message.content}</div>;
  }
  return (
    <AnswerView
      agentName={agentName}
      answer={answer ?? answerOf(message.content, message.metadata)}
      at={message.created_at}
    />
  );
});

interface ExchangeViewProps {
  exchange: Exchange;
  agentName: string;
  onRetry: () => void;
}

export function ExchangeView({ exchange, agentName, onRetry }: ExchangeViewProps) {
  const { question, answer, phase, error } = exchange;
  const again = (
    <Button onClick={onRetry} className="self-start">
      <RotateCw aria-hidden className="size-3.5" /> Ask again
    </Button>
  );
  return (
    <>
      <Question text={question} />
      <AnswerView agentName={agentName} answer={answer} isRunning={phase === "running"}>
        {phase === "stopped" && (
          <>
            <p className="text-xs text-muted">Stopped. The agent does not remember this.</p>
            {again}
          </>
        )}
        {phase === "failed" && (
          <>
            <Notice tone="danger">{error?.message}</Notice>
            {again}
          </>
        )}
      </AnswerView>
    </>
  );
}
