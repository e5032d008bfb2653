import { Controller, useForm } from "react-hook-form";
import type { Schemas } from "../../api/client";
import { rulesOf, showFaults } from "../../lib/forms";
import { Field, Input } from "../../ui/field";
import { FormEnd } from "../../ui/form_end";
import { RoleChoice } from "./role_choice";

type Values = Required<Pick<Schemas["UserCreate"], "full_name" | "email" | "roles">>;

interface UserFormProps {
  /** That is ticked at first. */
  firstRole: string;
  /** Without the roles of this organisation, for a user of another one. */
  isBuiltInOnly?: boolean;
  emailHint: string;
  /** What it throws is shown, at the fields where it names some. */
  onSubmit: (user: Values) => Promise<void>;
  onCancel: () => void;
}

/** A user to create: without a password, which they choose themselves. */
export function UserForm({ firstRole, isBuiltInOnly, emailHint, onSubmit, onCancel }: UserFormProps) {
  const { register, control, handleSubmit, setError, formState } = useForm<Values>({
    defaultValues: { full_name: "", email: "", roles: [firstRole] },
  });
  const { errors, isSubmitting } = formState;
  const submit = handleSubmit(async ({ full_name, email, roles }) => {
    try {
      await onSubmit({ full_name: full_name.trim(), email: email.trim(), roles });
    } catch (error) {
      showFaults(error, ["full_name", "email", "roles"], setError);
    }
  });
  return (
    <form noValidate onSubmit={(event) => void submit(event)} className="flex flex-col gap-4">
      <Field label="Name" error={errors.full_name?.message}>
        <Input autoFocus autoComplete="off" {...register("full_name", rulesOf("UserCreate", "full_name"))} />
      </Field>
      <Field label="Email" hint={emailHint} error={errors.email?.message}>
        <Input type="email" autoComplete="off" {...register("email", rulesOf("UserCreate", "email"))} />
      </Field>
      <Controller
        control={control}
        name="roles"
        render={({ field }) => (
          <RoleChoice
            isBuiltInOnly={isBuiltInOnly}
            value={field.value}
            onChange={field.onChange}
            error={errors.roles?.message}
          />
        )}
      />
      <FormEnd fault={errors.root?.message} action="Create user" isBusy={isSubmitting} onCancel={onCancel} />
    </form>
  );
}
