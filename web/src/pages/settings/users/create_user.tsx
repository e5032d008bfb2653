import { Plus } from "lucide-react";
import { useState } from "react";
import { $api, idempotencyKey, refreshPaths, type Schemas } from "../../../api/client";
import type { User } from "../../../api/people";
import { Button } from "../../../ui/button";
import { Dialog } from "../../../ui/dialog";
import { UserForm } from "../user_form";
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
          <NewUser onDone={makeLink} onCancel={close} />
        )}
      </Dialog>
    </>
  );
}

function NewUser({ onDone, onCancel }: { onDone: (user: User) => void; onCancel: () => void }) {
  const [key] = useState(idempotencyKey);
  const create = $api.useMutation("post", "/api/v1/users");
  const submit = async (body: Schemas["UserCreate"]) => {
    const made = await create.mutateAsync({ params: { header: { "Idempotency-Key": key } }, body });
    refreshPaths("/api/v1/users");
    onDone(made);
  };
  return (
    <UserForm firstRole="viewer" emailHint="What they sign in with." onSubmit={submit} onCancel={onCancel} />
  );
}
