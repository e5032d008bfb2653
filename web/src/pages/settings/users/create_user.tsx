import { Plus } from "lucide-react";
import { useState } from "react";
import { Controller, useForm } from "react-hook-form";
import { $api, idempotencyKey, refreshPaths } from "../../../api/client";
import type { User } from "../../../api/people";
import { rulesOf, showFaults } from "../../../lib/forms";
import { Button } from "../../../ui/button";
import { Dialog, DialogActions } from "../../../ui/dialog";
import { Field, Input } from "../../../ui/field";
import { Notice } from "../../../ui/states";
import { RoleChoice } from "../role_choice";
import { ResetLink } from "./reset_link";

/** A user has no password at first: he sets it with a link, so that nobody else ever knew it. */
export function CreateUser() {
  const [isOpen, setOpen] = useState(false);
  const [made, setMade] = useState<User>();
  const link = $api.useMutation("post", "/api/v1/users/{user_id}/password-reset");
  const close = () => {
    setOpen(false);
    setMade(undefined);
  };
  const makeLink = (user: User) => {
    setMade(user);
    link.mutate({ params: { path: { user_id: user.id } } });
  };
  return (
    <>
      <Button look="primary" onClick={() => setOpen(true)}>
        <Plus aria-hidden className="size-4" /> Create user
      </Button>
      <Dialog
        isOpen={isOpen}
        onClose={close}
        title={made ? `${made.full_name} is created` : "Create a user"}
        about={made ? undefined : "You get a link then, with which they choose their password."}
      >
        {made ? (
          <ResetLink
            name={made.full_name}
            reset={link.data}
            error={link.error}
            onRetry={() => makeLink(made)}
            onClose={close}
          />
        ) : (
          <UserForm onDone={makeLink} onCancel={close} />
        )}
      </Dialog>
    </>
  );
}

interface Values {
  full_name: string;
  email: string;
  roles: string[];
}

function UserForm({ onDone, onCancel }: { onDone: (user: User) => void; onCancel: () => void }) {
  const [key] = useState(idempotencyKey);
  const { register, control, handleSubmit, setError, formState } = useForm<Values>({
    defaultValues: { roles: ["viewer"] },
  });
  const create = $api.useMutation("post", "/api/v1/users");
  const { errors, isSubmitting } = formState;
  const submit = handleSubmit(async ({ full_name: name, email, roles }) => {
    try {
      const body = { full_name: name.trim(), email: email.trim(), roles };
      const params = { header: { "Idempotency-Key": key } };
      const made = await create.mutateAsync({ params, body });
      refreshPaths("/api/v1/users");
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
      <Field label="Email" hint="What they sign in with." error={errors.email?.message}>
        <Input type="email" autoComplete="off" {...register("email", rulesOf("UserCreate", "email"))} />
      </Field>
      <Controller
        control={control}
        name="roles"
        render={({ field }) => (
          <RoleChoice value={field.value} onChange={field.onChange} error={errors.roles?.message} />
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
