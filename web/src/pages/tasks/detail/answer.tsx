import { Link } from "@tanstack/react-router";
import { Ban, Clock } from "lucide-react";
import { lazy, Suspense } from "react";
import { type Result, readResult } from "../../../api/tasks/task";
import { latestText, type Words } from "../../../api/tasks/words";
import { CopyButton } from "../../../ui/copy";
import { Json } from "../../../ui/json";
import { Panel } from "../../../ui/page";
import { Empty, Notice, Skeleton } from "../../../ui/states";
import { Time } from "../../../ui/time";
import type { Task } from "../filters";
import { stateOf } from "../task_row";
import { citedNumbers } from "./cited";
import { helpFor } from "./failure_help";
import { Sources } from "./sources";

const Markdown = lazy(() => import("../../../ui/markdown"));

/** What became of a task: its answer, what it writes now, why there is none. */
export function Answer({ task, words }: { task: Task; words: Words }) {
  const result = readResult(task.result);
  switch (task.status) {
    case "completed":
      return result ? <Finished result={result} /> : null;
    case "started":
      return <Writing text={latestText(words, task.progress)} />;
    case "failed":
      return <Failed task={task} />;
    case "cancelled":
      return (
        <Panel title="Answer">
          <Empty icon={Ban} title="Cancelled">
            {task.attempt > 0 ? "What it had made was dropped. " : "It was not begun. "}
            Retry gives it to its agent again.
          </Empty>
        </Panel>
      );
    case "pending":
      return <Waiting task={task} />;
  }
}

function Text({ text }: { text: string }) {
  return (
    <Suspense fallback={<Skeleton lines={4} className="p-0" />}>
      <Markdown text={text} />
    </Suspense>
  );
}

function Finished({ result }: { result: Result }) {
  const cited = citedNumbers(result.text);
  const citedCount = result.sources.filter((_, index) => cited.has(index + 1)).length;
  const atHand = `${result.sources.length} at hand`;
  return (
    <>
      <Panel title="Answer" actions={<CopyButton text={result.text} label="Copy answer" />}>
        <div className="flex flex-col gap-3 text-base" data-testid="answer">
          {!result.found && <NothingFound result={result} />}
          {result.finish === "length" && (
            <Notice>
              The answer was cut: it reached max_tokens of the agent's config. Raise it for longer ones.
            </Notice>
          )}
          <Text text={result.text} />
        </div>
      </Panel>
      {result.output != null && (
        <Panel title="Output" about="The answer as JSON of the agent's answer_schema">
          <Json value={result.output} label="Copy output" />
        </Panel>
      )}
      {result.sources.length > 0 && (
        <Panel title="Sources" about={citedCount > 0 ? `${atHand}, ${citedCount} cited` : atHand}>
          <Sources sources={result.sources} cited={cited} />
        </Panel>
      )}
    </>
  );
}

function NothingFound({ result }: { result: Result }) {
  return result.model ? (
    <Notice tone="accent">
      The agent's knowledge says nothing about this: the model answered by itself.
    </Notice>
  ) : (
    <Notice>The agent's knowledge says nothing about this. Add what it should know, and ask again.</Notice>
  );
}

function Writing({ text }: { text: string }) {
  return (
    <Panel title="Answer" about="is being written">
      <div className="text-base" aria-busy data-testid="answer">
        {text ? <Text text={text} /> : <Skeleton lines={4} className="p-0" />}
      </div>
    </Panel>
  );
}

function Failed({ task }: { task: Task }) {
  const reason = task.error_message ?? "No reason was stored.";
  const attempts = task.attempt === 1 ? "1 attempt" : `${task.attempt} attempts`;
  return (
    <Panel title="Answer">
      <div className="flex flex-col gap-3">
        <Notice tone="danger">
          <p className="font-medium break-words">{reason}</p>
        </Notice>
        <p>
          {helpFor(reason)} <span className="text-muted">It failed after {attempts}.</span>
        </p>
      </div>
    </Panel>
  );
}

function Waiting({ task }: { task: Task }) {
  const isScheduled =
    stateOf({ status: task.status, scheduledAt: task.scheduled_at }, Date.now()) === "scheduled";
  return (
    <Panel title="Answer">
      {task.error_message && (
        <Notice>
          <p className="break-words">The last attempt ended: {task.error_message}</p>
          <p>The next one begins by itself.</p>
        </Notice>
      )}
      <Empty icon={Clock} title={isScheduled ? "Scheduled" : "Waits for its agent"}>
        {isScheduled ? (
          <>
            It begins <Time at={task.scheduled_at} /> at the earliest.
          </>
        ) : (
          <>
            It begins when a worker and{" "}
            <Link
              to="/agents/$agentId"
              params={{ agentId: task.agent_id }}
              className="text-accent hover:underline"
            >
              {task.agent_id}
            </Link>{" "}
            have room for it. An agent that is offline takes none.
          </>
        )}
      </Empty>
    </Panel>
  );
}
