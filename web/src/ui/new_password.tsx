import { useForm } from "react-hook-form";
import { asApiError } from "../api/problem";
import { Button } from "./button";
import { Field, Input } from "./field";
import { Notice } from "./states";

interface Values {
  current: string;
  fresh: string;
  again: string;
}

interface NewPasswordProps {
  /** Also asks for the password that counts until now. */
  asksCurrent: boolean;
  /** For password managers. */
  email?: string;
  action: string;
  onSubmit: (current: string, fresh: string) => Promise<void>;
}

/** A form for a new password, twice. */
export function NewPassword({ asksCurrent, email, action, onSubmit }: NewPasswordProps) {
  const { register, handleSubmit, formState, setError, getValues } = useForm<Values>();
  const { errors, isSubmitting } = formState;
  const submit = handleSubmit(async ({ current, fresh }) => {
    try {
      await onSubmit(current, fresh);
    } catch (error) {
      const problem = asApiError(error);
      const isAboutNew = problem.faults.some((fault) => fault.path === "new_password");
      setError(isAboutNew ? "fresh" : "root", { message: problem.faults[0]?.message ?? problem.message });
    }
  });
  return (
    <form noValidate onSubmit={(event) => void submit(event)} className="flex flex-col gap-4">
      {email && <input type="hidden" autoComplete="username" value={email} readOnly />}
      {asksCurrent && (
        <Field label="Current password" error={errors.current?.message}>
          <Input
            type="password"
            autoComplete="current-password"
            {...register("current", { required: "Enter the password that you signed in with." })}
          />
        </Field>
      )}
      <Field
        label="New password"
        hint="At least 8 characters. A few words are better than tricks."
        error={errors.fresh?.message}
      >
        <Input
          type="password"
          autoComplete="new-password"
          {...register("fresh", {
            required: "Choose a new password.",
            minLength: { value: 8, message: "At least 8 characters." },
          })}
        />
      </Field>
      <Field label="New password again" error={errors.again?.message}>
        <Input
          type="password"
          autoComplete="new-password"
          {...register("again", {
            validate: (again) => again === getValues("fresh") || "The two are not the same.",
          })}
        />
      </Field>
      {errors.root && <Notice tone="danger">{errors.root.message}</Notice>}
      <Button type="submit" look="primary" isBusy={isSubmitting}>
        {action}
      </Button>
    </form>
  );
}
