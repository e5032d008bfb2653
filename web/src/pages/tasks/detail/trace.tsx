import { ListTree } from "lucide-react";
import { hasEnded } from "../../../api/tasks/task";
import { formatCount, formatSeconds } from "../../../lib/format";
import { Panel } from "../../../ui/page";
import { Empty, Loaded } from "../../../ui/states";
import type { Task } from "../filters";
import { StepRow } from "./step_row";
import { type Attempt, attemptsOf, barsOf, type Step, tokensOf } from "./steps";
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
          .map((attempt, index) => (
            <AttemptPanel
              key={attempt.number}
              attempt={attempt}
              earlier={attempts.slice(0, index).flatMap((each) => each.steps)}
              agentId={task.agent_id}
            />
          ))
          .reverse();
      }}
    </Loaded>
  );
}

interface AttemptPanelProps {
  attempt: Attempt;
  /** Steps of attempts before, whose conversation it may go on with. */
  earlier: Step[];
  agentId: string;
}

function AttemptPanel({ attempt, earlier, agentId }: AttemptPanelProps) {
  const bars = barsOf(attempt);
  const tokens = tokensOf(attempt);
  const about = [
    `${attempt.steps.length} step${attempt.steps.length === 1 ? "" : "s"}`,
    formatSeconds(attempt.seconds),
    ...(tokens > 0 ? [`${formatCount(tokens)} tokens`] : []),
  ];
  return (
    <Panel isFlush title={`Attempt ${attempt.number}`} about={about.join(" · ")}>
      <ol className="divide-y divide-line/60">
        {attempt.steps.map((step, index) => (
          <StepRow
            key={step.step}
            step={step}
            bar={bars[index] ?? { start: 0, length: 0 }}
            before={[...earlier, ...attempt.steps.slice(0, index)]}
            agentId={agentId}
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
