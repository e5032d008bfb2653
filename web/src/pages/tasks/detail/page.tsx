import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { ArrowLeft } from "lucide-react";
import { useCan } from "../../../api/hooks";
import { Page } from "../../../ui/page";
import { Loaded } from "../../../ui/states";
import { Tabs } from "../../../ui/tabs";
import { Time } from "../../../ui/time";
import type { Task } from "../filters";
import { headingOf } from "../task_row";
import { TaskState } from "../task_state";
import { TaskActions } from "./actions";
import { Answer } from "./answer";
import { TaskEvents } from "./events";
import { TaskFacts } from "./facts";
import { Family } from "./family";
import { Request } from "./request";
import type { DetailTab } from "./search";
import { Trace } from "./trace";
import { useTask, useWords } from "./use_task";

export function TaskDetail() {
  const { taskId } = useParams({ from: "/signed-in/tasks/$taskId" });
  const query = useTask(taskId);
  const task = query.data;
  return (
    <Page
      title={task ? headingOf(task.description) : "Task"}
      about={task ? <About task={task} /> : <BackLink />}
      actions={task && <TaskActions task={task} />}
    >
      <Loaded query={query} lines={8}>
        {(loaded) => <Detail key={loaded.id} task={loaded} />}
      </Loaded>
    </Page>
  );
}

function BackLink() {
  return (
    <Link to="/tasks" className="inline-flex items-center gap-1 text-muted hover:text-text">
      <ArrowLeft aria-hidden className="size-3.5" /> Tasks
    </Link>
  );
}

function About({ task }: { task: Task }) {
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
      <BackLink />
      <span role="status" aria-label="State">
        <TaskState task={{ status: task.status, scheduledAt: task.scheduled_at }} />
      </span>
      <Link to="/agents/$agentId" params={{ agentId: task.agent_id }} className="text-accent hover:underline">
        {task.agent_id}
      </Link>
      <span>
        created <Time at={task.created_at} />
      </span>
    </div>
  );
}

function Detail({ task }: { task: Task }) {
  const { tab = "answer" } = useSearch({ from: "/signed-in/tasks/$taskId" });
  const navigate = useNavigate({ from: "/tasks/$taskId" });
  const canReadEvents = useCan("events:read");
  const words = useWords(task);
  const choose = (value: string) =>
    void navigate({
      search: value === "answer" ? {} : { tab: value as Exclude<DetailTab, "answer"> },
      replace: true,
    });
  return (
    <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_20rem]">
      <Tabs
        label="About the task"
        value={tab}
        onChange={choose}
        tabs={[
          { value: "answer", label: "Answer", content: <Answer task={task} words={words} /> },
          { value: "trace", label: "Trace", content: <Trace task={task} /> },
          ...(canReadEvents
            ? [{ value: "events", label: "Events", content: <TaskEvents task={task} /> }]
            : []),
          { value: "request", label: "Request", content: <Request task={task} /> },
        ]}
      />
      <aside aria-label="Details" className="flex min-w-0 flex-col gap-4">
        <TaskFacts task={task} />
        <Family task={task} />
      </aside>
    </div>
  );
}
