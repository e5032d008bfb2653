import { ListTree } from "lucide-react";
import { formatCount, formatSeconds } from "../../../lib/format";
import { Panel } from "../../../ui/page";
import { Empty, Loaded } from "../../../ui/states";
import type { Task } from "../filters";
import { hasEnded } from "../task_row";
import { StepRow } from "./step_row";
import { type Attempt, attemptsOf, barsOf, tokensOf } from "./steps";
import { useSteps } from "./use_task";

/** How the answer came about: attempt by attempt, step by step. */
export function Trace({ task }: { task: Task }) {
  const query = useSteps(task);
  return (
    <Loaded
      query={query}
      lines={6}
      isEmpty={(data) => data.steps.length === 0}
      empty={<NoSteps task={task} />}
    >
      {(data) => {
        const attempts = attemptsOf(data.steps);
        return attempts
          .toReversed()
          .map((attempt) => <AttemptPanel key={attempt.number} attempt={attempt} task={task} />);
      }}
    </Loaded>
  );
}

function AttemptPanel({ attempt, task }: { attempt: Attempt; task: Task }) {
  const bars = barsOf(attempt);
  const tokens = tokensOf([attempt]);
  const about = [
    `${attempt.steps.length} step${attempt.steps.length === 1 ? "" : "s"}`,
    formatSeconds(attempt.seconds),
    ...(tokens.input + tokens.output > 0
      ? [`${formatCount(tokens.input)} tokens read, ${formatCount(tokens.output)} written`]
      : []),
  ];
  return (
    <Panel isFlush title={`Attempt ${attempt.number}`} about={about.join(" · ")}>
      <ol className="divide-y divide-line/60">
        {attempt.steps.map((step, index) => (
          <StepRow
            key={step.step}
            step={step}
            bar={bars[index] ?? { start: 0, length: 0 }}
            before={attempt.steps.slice(0, index)}
            agentId={task.agent_id}
          />
        ))}
      </ol>
    </Panel>
  );
}

function NoSteps({ task }: { task: Task }) {
  return (
    <Panel>
      <Empty icon={ListTree} title={hasEnded(task.status) ? "Nothing was done" : "Nothing yet"}>
        {hasEnded(task.status)
          ? "The task ended before a step of it was stored."
          : "Each step appears here when it has been taken: what was found, asked and answered."}
      </Empty>
    </Panel>
  );
}
