import { useNavigate } from "@tanstack/react-router";
import { ChevronRight } from "lucide-react";
import { type KeyboardEvent, useState } from "react";
import { Controller, useForm } from "react-hook-form";
import { formatWords } from "../../../lib/format";
import { rulesOf, showFaults, validJsonObject } from "../../../lib/forms";
import { Field, Select, TextArea } from "../../../ui/field";
import { FormEnd } from "../../../ui/form_end";
import { AgentPicker } from "../agent_picker";
import { priorities } from "../filters";
import { MoreFields } from "./more_fields";
import { useCreate } from "./use_create";
import { emptyTask, type TaskValues } from "./values";

const fields = Object.keys(emptyTask) as (keyof TaskValues)[];
/** These stand folded, and must be seen when one of them is wrong. */
const foldedFields = ["scheduled_at", "deadline_at", "max_attempts", "timeout_seconds", "context"] as const;

export function CreateForm({ agent, onClose }: { agent?: string; onClose: () => void }) {
  const form = useForm<TaskValues>({ defaultValues: { ...emptyTask, agent: agent ?? "" } });
  const { register, control, handleSubmit, formState, setError } = form;
  const { errors, isSubmitting } = formState;
  const navigate = useNavigate();
  const create = useCreate();
  const [isUnfolded, setUnfolded] = useState(false);
  const unfoldFaults = () => {
    if (foldedFields.some((name) => form.getFieldState(name).invalid)) setUnfolded(true);
  };
  const submit = handleSubmit(async (values) => {
    try {
      const task = await create(values);
      await navigate({ to: "/tasks/$taskId", params: { taskId: task.id } });
    } catch (error) {
      showFaults(error, fields, setError);
      unfoldFaults();
    }
  }, unfoldFaults);
  const submitByKey = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void submit();
  };
  return (
    <form
      noValidate
      onSubmit={(event) => void submit(event)}
      onKeyDown={submitByKey}
      className="flex flex-col gap-4"
    >
      <Field
        label="What is to be done"
        hint="A question or an assignment, as you would give it to a colleague."
        error={errors.description?.message}
      >
        <TextArea rows={5} autoFocus {...register("description", rulesOf("TaskCreate", "description"))} />
      </Field>
      <div className="grid gap-4 sm:grid-cols-2">
        <Controller
          control={control}
          name="agent"
          render={({ field }) => (
            <Field label="Agent" error={errors.agent?.message}>
              <AgentPicker
                isField
                label="Agents"
                none="Whoever fits best"
                value={field.value}
                onChange={field.onChange}
              />
            </Field>
          )}
        />
        <Field label="Priority" error={errors.priority?.message}>
          <Select {...register("priority")}>
            {priorities.map((priority) => (
              <option key={priority} value={priority}>
                {formatWords(priority)}
              </option>
            ))}
          </Select>
        </Field>
      </div>
      <details
        open={isUnfolded}
        onToggle={(event) => setUnfolded(event.currentTarget.open)}
        className="group"
      >
        <summary className="flex w-fit cursor-pointer list-none items-center gap-1 rounded-sm font-medium text-muted hover:text-text">
          <ChevronRight aria-hidden className="size-4 transition-transform group-open:rotate-90" />
          Times, attempts, context
        </summary>
        <div className="mt-3 flex flex-col gap-4">
          <MoreFields register={register} errors={errors} />
          <Field
            label="Context"
            hint="A JSON object that the agent's model is given with the task."
            error={errors.context?.message}
          >
            <TextArea
              rows={4}
              spellCheck={false}
              placeholder="{ }"
              className="font-mono text-xs"
              {...register("context", { validate: validJsonObject })}
            />
          </Field>
        </div>
      </details>
      <FormEnd fault={errors.root?.message} action="Create task" isBusy={isSubmitting} onCancel={onClose} />
    </form>
  );
}
