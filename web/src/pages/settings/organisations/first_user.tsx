import { useState } from "react";
import { Controller, useForm } from "react-hook-form";
import { $api, type Schemas } from "../../../api/client";
import { rulesOf, showFaults } from "../../../lib/forms";
import { Button } from "../../../ui/button";
import { DialogActions } from "../../../ui/dialog";
import { Field, Input } from "../../../ui/field";
import { Notice } from "../../../ui/states";
import { PasswordLink } from "../password_link";
import { RoleChoice } from "../role_choice";
import type { Organisation } from "./organisations";

interface FirstUserProps {
  organisation: Organisation;
  onClose: () => void;
}

/** How an organisation gets somebody who may come in; they make the others. */
export function FirstUser({ organisation, onClose }: FirstUserProps) {
  const [made, setMade] = useState<Schemas["NewUser"]>();
  if (!made) return <UserForm organisation={organisation} onDone={setMade} onCancel={onClose} />;
  return (
    <>
      <PasswordLink reset={made.password_reset} name={made.user.full_name} />
      <DialogActions>
        <Button look="primary" onClick={onClose}>
          Done
        </Button>
      </DialogActions>
    </>
  );
}

interface UserFormProps {
  organisation: Organisation;
  onDone: (made: Schemas["NewUser"]) => void;
  onCancel: () => void;
}

function UserForm({ organisation, onDone, onCancel }: UserFormProps) {
  const { register, control, handleSubmit, setError, formState } = useForm({
    defaultValues: { full_name: "", email: "", roles: ["admin"] },
  });
  const create = $api.useMutation("post", "/api/v1/organisations/{organisation_id}/users");
  const { errors, isSubmitting } = formState;
  const submit = handleSubmit(async ({ full_name: name, email, roles }) => {
    try {
      const made = await create.mutateAsync({
        params: { path: { organisation_id: organisation.id } },
        body: { full_name: name.trim(), email: email.trim(), roles },
      });
      onDone(made);
    } catch (error) {
      showFaults(error, ["full_name", "email", "roles"], setError);
    }
  });
  return (
    <form noValidate onSubmit={(event) => void submit(event)} className="flex flex-col gap-4">
      <Field label="Name" error={errors.full_name?.message}>
        <Input autoFocus autoComplete="off" {...register("full_name", rulesOf("UserCreate", "full_name"))} />
      </Field>
      <Field
        label="Email"
        hint="What they sign in with. It tells the organisation, so no other user of the installation has it."
        error={errors.email?.message}
      >
        <Input type="email" autoComplete="off" {...register("email", rulesOf("UserCreate", "email"))} />
      </Field>
      <Controller
        control={control}
        name="roles"
        render={({ field }) => (
          <RoleChoice
            isBuiltInOnly
            value={field.value}
            onChange={field.onChange}
            error={errors.roles?.message}
          />
        )}
      />
      {errors.root && <Notice tone="danger">{errors.root.message}</Notice>}
      <DialogActions>
        <Button onClick={onCancel}>Cancel</Button>
        <Button type="submit" look="primary" isBusy={isSubmitting}>
          Create user
        </Button>
      </DialogActions>
    </form>
  );
}
