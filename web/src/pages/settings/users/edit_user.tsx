import { useEffect } from "react";
import { Controller, useForm } from "react-hook-form";
import { $api, refreshPaths } from "../../../api/client";
import { useMe } from "../../../api/hooks";
import type { User } from "../../../api/people";
import { rulesOf, showFaults } from "../../../lib/forms";
import { Button } from "../../../ui/button";
import { Field, Input, Select } from "../../../ui/field";
import { Notice } from "../../../ui/states";
import { toast } from "../../../ui/toast";
import { RoleChoice } from "../role_choice";
import { ifMatch } from "../versions";
import { asUserError } from "./guards";

type Values = Pick<User, "full_name" | "email" | "status" | "roles">;

const valuesOf = ({ full_name, email, status, roles }: User): Values => ({ full_name, email, status, roles });

/** Only what was changed is sent: of roles the server asks whether you may give them. */
export function EditUser({ user }: { user: User }) {
  const isSelf = useMe().id === user.id;
  const { register, control, handleSubmit, setError, reset, formState } = useForm<Values>({
    defaultValues: valuesOf(user),
  });
  const change = $api.useMutation("put", "/api/v1/users/{user_id}");
  const { errors, isSubmitting, isDirty, dirtyFields } = formState;
  // What others change meanwhile is shown, unless something has been typed.
  useEffect(() => {
    if (!isDirty) reset(valuesOf(user));
  }, [user, isDirty, reset]);
  const submit = handleSubmit(async (values) => {
    const body = {
      ...(dirtyFields.full_name && { full_name: values.full_name.trim() }),
      ...(dirtyFields.email && { email: values.email.trim() }),
      ...(dirtyFields.status && { status: values.status }),
      ...(dirtyFields.roles && { roles: values.roles }),
    };
    try {
      const params = { path: { user_id: user.id }, header: ifMatch(user) };
      reset(valuesOf(await change.mutateAsync({ params, body })));
      toast("User saved");
    } catch (error) {
      showFaults(asUserError(error), ["full_name", "email", "status", "roles"], setError);
    }
    refreshPaths("/api/v1/users");
  });
  return (
    <form noValidate onSubmit={(event) => void submit(event)} className="flex flex-col gap-4">
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label="Name" error={errors.full_name?.message}>
          <Input autoComplete="off" {...register("full_name", rulesOf("UserPatch", "full_name"))} />
        </Field>
        <Field label="Email" error={errors.email?.message}>
          <Input type="email" autoComplete="off" {...register("email", rulesOf("UserPatch", "email"))} />
        </Field>
      </div>
      {!isSelf && (
        <Field
          label="Status"
          hint="Only active users get in; who is not active any more is signed out."
          error={errors.status?.message}
        >
          <Select {...register("status")}>
            <option value="active">Active</option>
            <option value="disabled">Disabled</option>
            {user.status === "pending" && <option value="pending">Pending: asked for an account</option>}
          </Select>
        </Field>
      )}
      <Controller
        control={control}
        name="roles"
        render={({ field }) => (
          <RoleChoice value={field.value} onChange={field.onChange} error={errors.roles?.message} />
        )}
      />
      {errors.root && <Notice tone="danger">{errors.root.message}</Notice>}
      <div className="flex gap-2">
        <Button type="submit" look="primary" isBusy={isSubmitting} disabled={!isDirty}>
          Save
        </Button>
        {isDirty && <Button onClick={() => reset(valuesOf(user))}>Discard</Button>}
      </div>
    </form>
  );
}
