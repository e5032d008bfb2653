import { Link } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useState } from "react";
import { hasEnded, type Result, readResult, type Task } from "../../../api/tasks/task";
import { useTaskStream } from "../../../api/tasks/use_task_stream";
import { latestText } from "../../../api/tasks/words";
import { formatCount, formatSeconds, secondsBetween } from "../../../lib/format";
import { endTour } from "../../../lib/tour";
import { StateBadge } from "../../../ui/badge";
import { Button } from "../../../ui/button";
import { Failure, Notice, Skeleton } from "../../../ui/states";
import { useNow } from "../../../ui/time";
import { NextSteps } from "./next_steps";
import { Sources } from "./sources";
import { StepHeading } from "./step_heading";

const Markdown = lazy(() => import("../../../ui/markdown"));

interface WatchProps {
  taskId: string;
  /** The task was completed: the last step of the tour has begun. */
  onDone: () => void;
}

/** The task as it runs, then its answer and what to do next. */
export function Watch({ taskId, onDone }: WatchProps) {
  const [task, setTask] = useState<Task>();
  const { words, error } = useTaskStream(taskId, setTask);
  const isCompleted = task?.status === "completed";
  useEffect(() => {
    if (!isCompleted) return;
    endTour();
    onDone();
  }, [isCompleted, onDone]);
  if (error) return <Failure error={error} />;
  if (!task) return <Skeleton lines={6} className="p-0" />;
  const result = readResult(task.result);
  return (
    <>
      <StepHeading>{headingOf(task)}</StepHeading>
      <div className="mt-3 flex flex-col gap-4">
        <Question task={task} />
        <Words task={task} text={result?.text ?? latestText(words, task.progress)} />
        {isCompleted && result && <Completed task={task} result={result} />}
        {hasEnded(task.status) && !isCompleted && <NotCompleted task={task} />}
      </div>
    </>
  );
}

function headingOf({ status }: Task): string {
  if (status === "completed") return "Answered";
  if (status === "failed") return "It did not work out";
  if (status === "cancelled") return "Cancelled";
  return status === "pending" ? "Waiting for its turn" : "The agent is on it";
}

function Question({ task }: { task: Task }) {
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
      <StateBadge state={task.status} />
      <span className="min-w-0 font-medium break-words">{task.description}</span>
      <span className="text-xs text-muted">
        {task.agent_id} · <Elapsed task={task} />
      </span>
    </div>
  );
}

/** How long it took, or has taken so far. */
function Elapsed({ task }: { task: Task }) {
  if (!task.completed_at) return <Running since={task.created_at} />;
  return formatSeconds(secondsBetween(task.created_at, task.completed_at));
}

function Running({ since }: { since: string }) {
  const seconds = Math.floor(secondsBetween(since, useNow()) ?? 0);
  return formatSeconds(Math.max(0, seconds));
}

function Words({ task, text }: { task: Task; text: string }) {
  const isEnded = hasEnded(task.status);
  if (!text && isEnded) return null;
  return (
    <div
      aria-live="polite"
      aria-busy={!isEnded}
      className="min-h-32 rounded-md border border-line bg-sunken p-4 text-base"
    >
      {text ? (
        <Suspense fallback={<p className="whitespace-pre-wrap">{text}</p>}>
          <Markdown text={text} />
        </Suspense>
      ) : (
        <p className="animate-pulse-soft text-muted">
          {task.status === "started" ? "Looking up what it knows…" : "It begins as soon as a worker is free…"}
        </p>
      )}
    </div>
  );
}

function Completed({ task, result }: { task: Task; result: Result }) {
  const { sources, model, input_tokens: read, output_tokens: written } = result;
  return (
    <>
      <p className="text-xs text-muted">
        Answered by {model || "its knowledge"}
        {read + written > 0 && ` · ${formatCount(read)} tokens read, ${formatCount(written)} written`}
        {" · "}
        <Link to="/tasks/$taskId" params={{ taskId: task.id }} className="text-accent underline">
          see each step
        </Link>
      </p>
      <Sources sources={sources} />
      <NextSteps />
    </>
  );
}

function NotCompleted({ task }: { task: Task }) {
  return (
    <>
      {task.error_message && <Notice tone="danger">{task.error_message}</Notice>}
      <div className="flex justify-end gap-2">
        <Button asChild look="quiet">
          <Link to="/tasks/$taskId" params={{ taskId: task.id }}>
            See each step
          </Link>
        </Button>
        <Button asChild look="primary">
          <Link to="/welcome" search={{ step: "ask" }}>
            Ask again
          </Link>
        </Button>
      </div>
    </>
  );
}
