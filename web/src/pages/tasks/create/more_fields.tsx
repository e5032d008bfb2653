import type { FieldErrors, UseFormRegister } from "react-hook-form";
import { fieldOf, rulesOf } from "../../../lib/forms";
import { Field, Input } from "../../../ui/field";
import { faultOfTimes, type TaskValues } from "./values";

interface MoreFieldsProps {
  register: UseFormRegister<TaskValues>;
  errors: FieldErrors<TaskValues>;
}

/** What the API takes when the field is left empty, where it says so. */
function defaultOf(name: "max_attempts" | "timeout_seconds"): string | undefined {
  const value = fieldOf("TaskCreate", name).default;
  return value === undefined ? undefined : String(value);
}

/** What few tasks need: they stand folded in the form. */
export function MoreFields({ register, errors }: MoreFieldsProps) {
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      <Field
        label="Start at"
        hint="Not before this time; empty: as soon as it can."
        error={errors.scheduled_at?.message}
      >
        <Input type="datetime-local" {...register("scheduled_at")} />
      </Field>
      <Field label="Deadline" hint="Fails when it is not done by then." error={errors.deadline_at?.message}>
        <Input
          type="datetime-local"
          {...register("deadline_at", {
            validate: (_, values) => faultOfTimes(values, Date.now()) ?? true,
          })}
        />
      </Field>
      <Field label="Attempts" hint="After so many it fails for good." error={errors.max_attempts?.message}>
        <Input
          type="number"
          inputMode="numeric"
          placeholder={defaultOf("max_attempts")}
          {...register("max_attempts", rulesOf("TaskCreate", "max_attempts"))}
        />
      </Field>
      <Field
        label="Seconds of one attempt"
        hint="One that takes longer is stopped and tried again."
        error={errors.timeout_seconds?.message}
      >
        <Input
          type="number"
          inputMode="numeric"
          placeholder={defaultOf("timeout_seconds")}
          {...register("timeout_seconds", rulesOf("TaskCreate", "timeout_seconds"))}
        />
      </Field>
    </div>
  );
}
