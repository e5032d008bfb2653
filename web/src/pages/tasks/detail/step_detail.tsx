import { Link } from "@tanstack/react-router";
import { formatCount, formatWords } from "../../../lib/format";
import { Json } from "../../../ui/json";
import { KnowledgeLink } from "../../../ui/knowledge_link";
import { Facts } from "../../../ui/page";
import { Notice } from "../../../ui/states";
import { Conversation, Said } from "./conversation";
import { Sources } from "./sources";
import { callOf, type Found, type Step, type StepDetails, sourcesBefore, type ToolCall } from "./steps";

interface StepDetailProps {
  step: Step;
  before: readonly Step[];
  agentId: string;
}

/** All that is known of one step, as people read it. */
export function StepDetail({ step, before, agentId }: StepDetailProps) {
  switch (step.kind) {
    case "retrieve":
      return <Retrieved {...step.detail} agentId={agentId} />;
    case "prompt":
      return <Prompt {...step.detail} />;
    case "model":
      return <ModelAnswer {...step.detail} />;
    case "tool":
      return <ToolAnswer detail={step.detail} before={before} />;
    case "delegate":
      return (
        <Link
          to="/tasks/$taskId"
          params={{ taskId: step.detail.task_id }}
          className="text-accent hover:underline"
        >
          Open the task that was given
        </Link>
      );
    case "answer":
      return (
        <div className="flex flex-col gap-3">
          <Said text={step.detail.text} />
          <Sources sources={step.detail.sources} />
        </div>
      );
    case "failure":
      return (
        <Notice tone="danger">
          <p className="break-words">{step.detail.error}</p>
          <p>
            {step.detail.again
              ? "The next attempt goes on with this conversation."
              : "Another attempt begins anew."}
          </p>
        </Notice>
      );
    case "resume":
      return <p className="text-muted">What the model had answered before was not asked for again.</p>;
    case "retry":
      return <p className="text-muted">Nothing of the attempts before is used.</p>;
    case "other":
      return <Json value={step.detail} label="Copy step" />;
  }
}

function Retrieved({ question, found, agentId }: StepDetails["retrieve"] & { agentId: string }) {
  const best = Math.max(...found.map((each) => each.score), 0);
  return (
    <div className="flex flex-col gap-3">
      <Said title="Looked for" text={question} />
      {found.length === 0 ? (
        <p className="text-muted">Its knowledge says nothing about this.</p>
      ) : (
        <ul className="flex flex-col gap-1">
          {found.map((each) => (
            <FoundItem key={each.id} item={each} best={best} agentId={agentId} />
          ))}
        </ul>
      )}
    </div>
  );
}

function FoundItem({ item, best, agentId }: { item: Found; best: number; agentId: string }) {
  const share = best > 0 ? item.score / best : 0;
  return (
    <li className="grid grid-cols-[minmax(0,1fr)_6rem_3rem] items-center gap-3">
      <span className="truncate">
        <KnowledgeLink agentId={agentId} id={item.id} className="text-accent hover:underline">
          {item.id}
        </KnowledgeLink>
      </span>
      <span aria-hidden className="h-1.5 rounded-sm bg-neutral-soft">
        <span className="block h-full rounded-sm bg-accent" style={{ width: `${share * 100}%` }} />
      </span>
      <span className="text-right text-muted tabular-nums">{item.score.toFixed(2)}</span>
    </li>
  );
}

function Prompt({ provider, model, agent_version, system, messages, tools, sources }: StepDetails["prompt"]) {
  return (
    <div className="flex flex-col gap-3">
      <Facts
        facts={[
          ["Model", `${model} (${provider})`],
          ["Agent's version", agent_version],
          ["Tools", tools.length > 0 ? tools.join(", ") : "none"],
        ]}
      />
      <Conversation turns={[{ role: "system", text: system }, ...messages]} />
      {sources.length > 0 && (
        <div>
          <div className="mb-1 text-xs font-medium text-muted">Passages that it quotes</div>
          <Sources sources={sources} />
        </div>
      )}
    </div>
  );
}

const finishes: Record<string, string> = {
  stop: "It had said all",
  length: "Cut by max_tokens",
  tool_calls: "It wants tools called",
  refused: "It refused",
};

function ModelAnswer(detail: StepDetails["model"]) {
  return (
    <div className="flex flex-col gap-3">
      <Facts
        facts={[
          ["Model", `${detail.model} (${detail.provider})`],
          ["Stopped because", finishes[detail.finish] ?? formatWords(detail.finish)],
          [
            "Tokens",
            `${formatCount(detail.input_tokens)} read, ${formatCount(detail.output_tokens)} written`,
          ],
        ]}
      />
      {detail.text && <Said title={detail.tool_calls.length > 0 ? "Said" : "Answer"} text={detail.text} />}
      {detail.tool_calls.map((call) => (
        <Call key={call.id} call={call} />
      ))}
    </div>
  );
}

function Call({ call }: { call: ToolCall }) {
  return (
    <div>
      <div className="mb-1 text-xs font-medium text-muted">Calls {call.name}</div>
      <Json value={parsed(call.arguments)} label="Copy arguments" />
    </div>
  );
}

/** As the model wrote them, which need not be JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function ToolAnswer({ detail, before }: { detail: StepDetails["tool"]; before: readonly Step[] }) {
  const call = callOf(before, detail.call_id);
  return (
    <div className="flex flex-col gap-3">
      {detail.gave_up && (
        <Notice>There was no time left. An attempt that goes on from here takes the call up again.</Notice>
      )}
      {call && <Call call={call} />}
      <Said title={detail.is_error ? "What was wrong" : "What it answered"} text={detail.result} />
      {detail.sources.length > 0 && (
        <Sources sources={detail.sources} firstNumber={sourcesBefore(before) + 1} />
      )}
    </div>
  );
}
