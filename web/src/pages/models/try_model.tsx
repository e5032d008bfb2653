import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { Send, Square } from "lucide-react";
import { type KeyboardEvent, lazy, Suspense, useState } from "react";
import { $api } from "../../api/client";
import { formatCount, formatSeconds } from "../../lib/format";
import { Button } from "../../ui/button";
import { CopyButton } from "../../ui/copy";
import { Field, Input, Select, TextArea } from "../../ui/field";
import { Panel } from "../../ui/page";
import { Empty, Notice } from "../../ui/states";
import { type Answer, useInference } from "./use_inference";

const Markdown = lazy(() => import("../../ui/markdown"));

const promptMax = 200_000;
const usualTokens = 2048;

/** One question to a model, without an agent and its knowledge. */
export function TryModel() {
  const { model } = useSearch({ from: "/signed-in/models" });
  const navigate = useNavigate({ from: "/models" });
  const models = $api.useQuery("get", "/api/v1/models");
  const usable = models.data?.models.filter((each) => each.kind !== "extractive") ?? [];
  const { answer, start, stop } = useInference();
  const [prompt, setPrompt] = useState("");
  const [maxTokens, setMaxTokens] = useState(String(usualTokens));
  const isAsking = answer?.phase === "asking";
  const canAsk = prompt.trim() !== "" && !isAsking;

  const ask = () => {
    if (!canAsk) return;
    void start({ prompt, model_id: model ?? "", max_tokens: Number(maxTokens) || usualTokens });
  };
  const press = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) ask();
  };
  if (models.data && usable.length === 0) {
    return (
      <Panel>
        <Empty title="There is no model to ask">
          <Link to="/models" className="text-accent underline">
            See how one is connected
          </Link>
        </Empty>
      </Panel>
    );
  }
  return (
    <div className="grid items-start gap-4 lg:grid-cols-2">
      <Panel title="Prompt">
        <div className="flex flex-col gap-4">
          <div className="grid gap-4 sm:grid-cols-[1fr_9rem]">
            <Field label="Model">
              <Select
                value={model ?? ""}
                onChange={(event) =>
                  void navigate({
                    search: { tab: "try", model: event.target.value || undefined },
                    replace: true,
                  })
                }
              >
                <option value="">The default</option>
                {usable.map((each) => (
                  <option key={`${each.provider}/${each.id}`} value={each.id}>
                    {each.id} ({each.provider})
                  </option>
                ))}
              </Select>
            </Field>
            <Field label="Longest answer" hint="In tokens.">
              <Input
                type="number"
                min={1}
                max={1_000_000}
                value={maxTokens}
                onChange={(event) => setMaxTokens(event.target.value)}
              />
            </Field>
          </div>
          <Field label="Prompt" hint="Ctrl Enter asks. What it costs counts as your usage.">
            <TextArea
              rows={8}
              maxLength={promptMax}
              value={prompt}
              onChange={(event) => setPrompt(event.target.value)}
              onKeyDown={press}
            />
          </Field>
          <div className="flex justify-end">
            {isAsking ? (
              <Button onClick={stop}>
                <Square aria-hidden className="size-3.5" /> Stop
              </Button>
            ) : (
              <Button look="primary" disabled={!canAsk} onClick={ask}>
                <Send aria-hidden className="size-4" /> Ask
              </Button>
            )}
          </div>
        </div>
      </Panel>
      <AnswerPanel answer={answer} />
    </div>
  );
}

function AnswerPanel({ answer }: { answer: Answer | undefined }) {
  const isAsking = answer?.phase === "asking";
  return (
    <Panel
      title="Answer"
      about={answer && <AnswerFacts answer={answer} />}
      actions={answer?.text && !isAsking && <CopyButton text={answer.text} label="Copy answer" />}
    >
      {!answer && <p className="text-muted">It appears here while it is written.</p>}
      {answer && (
        <div className="flex flex-col gap-3 text-base" aria-busy={isAsking} aria-live="polite">
          {isAsking && answer.text === "" && (
            <p className="animate-pulse-soft text-muted">Waiting for the model…</p>
          )}
          {answer.text && (
            <Suspense fallback={<p className="whitespace-pre-wrap">{answer.text}</p>}>
              <Markdown text={answer.text} />
            </Suspense>
          )}
          {answer.phase === "stopped" && <Notice>You stopped it here.</Notice>}
          {answer.error && <Notice tone="danger">{answer.error.message}</Notice>}
        </div>
      )}
    </Panel>
  );
}

function AnswerFacts({ answer: { model, firstMs, totalMs, tokens } }: { answer: Answer }) {
  const facts = [
    model,
    firstMs !== undefined && `first words after ${formatSeconds(firstMs / 1000)}`,
    totalMs !== undefined && `${formatSeconds(totalMs / 1000)} in all`,
    tokens !== undefined && `${formatCount(tokens)} tokens`,
  ];
  return facts.filter(Boolean).join(" · ");
}
