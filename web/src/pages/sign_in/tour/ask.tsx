import { Link, useNavigate } from "@tanstack/react-router";
import type { KeyboardEvent } from "react";
import { useForm } from "react-hook-form";
import { $api, idempotencyKey } from "../../../api/client";
import { useCan } from "../../../api/hooks";
import { rulesOf, showFaults } from "../../../lib/forms";
import { Button } from "../../../ui/button";
import { Field, TextArea } from "../../../ui/field";
import { Loaded, Notice } from "../../../ui/states";
import { AgentChoice } from "./agent_choice";
import { questionsFor, withQuestionsFirst } from "./questions";
import { StepHeading } from "./step_heading";

interface Values {
  agentId: string;
  description: string;
}

/** An agent, and a question to it. */
export function Ask() {
  const mayAsk = useCan("tasks:write");
  const maySeeAgents = useCan("agents:read");
  const agents = $api.useQuery(
    "get",
    "/api/v1/agents",
    { params: { query: { limit: 500 } } },
    { enabled: mayAsk && maySeeAgents },
  );
  return (
    <>
      <StepHeading>Ask an agent</StepHeading>
      <div className="mt-4">
        {!mayAsk ? (
          <Notice>
            Your role may look on, but not give tasks. Ask an administrator for a role that may, such as
            operator.
          </Notice>
        ) : maySeeAgents ? (
          <Loaded query={agents} lines={8}>
            {(data) => <QuestionForm agents={withQuestionsFirst(data.agents)} />}
          </Loaded>
        ) : (
          <QuestionForm agents={[]} />
        )}
      </div>
    </>
  );
}

function QuestionForm({ agents }: { agents: { id: string; name: string; capabilities: string[] }[] }) {
  const navigate = useNavigate();
  const create = $api.useMutation("post", "/api/v1/agents/{agent_id}/tasks");
  const { register, handleSubmit, formState, setError, setValue, watch } = useForm<Values>({
    defaultValues: { agentId: agents[0]?.id ?? "auto", description: "" },
  });
  const { errors, isSubmitting } = formState;
  const suggested = questionsFor(watch("agentId"));
  const submit = handleSubmit(async ({ agentId, description }) => {
    try {
      const task = await create.mutateAsync({
        params: { path: { agent_id: agentId }, header: { "Idempotency-Key": idempotencyKey() } },
        body: { description: description.trim() },
      });
      await navigate({ to: "/welcome", search: { task: task.id } });
    } catch (error) {
      showFaults(error, ["description"], setError);
    }
  });
  const submitByKey = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    void submit();
  };
  return (
    <form noValidate onSubmit={(event) => void submit(event)} className="flex flex-col gap-5">
      <AgentChoice agents={agents} field={register("agentId")} />
      <div className="flex flex-col gap-2">
        <Field label="Question" error={errors.description?.message} hint="Ctrl-Enter asks.">
          <TextArea
            rows={2}
            onKeyDown={submitByKey}
            {...register("description", rulesOf("TaskCreate", "description"))}
          />
        </Field>
        {suggested.length > 0 && (
          <fieldset className="flex min-w-0 flex-wrap gap-2">
            <legend className="mb-1 text-xs text-muted">Or one of these</legend>
            {suggested.map((question) => (
              <button
                key={question}
                type="button"
                className="min-h-8 rounded-md border border-edge/50 px-3 py-1 text-left font-medium hover:bg-hover"
                onClick={() =>
                  setValue("description", question, {
                    shouldValidate: formState.isSubmitted,
                    shouldDirty: true,
                  })
                }
              >
                {question}
              </button>
            ))}
          </fieldset>
        )}
      </div>
      {errors.root && <Notice tone="danger">{errors.root.message}</Notice>}
      <div className="flex justify-between gap-2">
        <Button asChild look="quiet">
          <Link to="/welcome">Back</Link>
        </Button>
        <Button type="submit" look="primary" isBusy={isSubmitting}>
          Ask
        </Button>
      </div>
    </form>
  );
}
