import { KeyRound, ShieldOff, Trash2 } from "lucide-react";
import { useState } from "react";
import { $api, idempotencyKey, refreshPaths } from "../../../api/client";
import { useMe } from "../../../api/hooks";
import type { User } from "../../../api/people";
import { Button } from "../../../ui/button";
import { Confirm, Dialog } from "../../../ui/dialog";
import { toast, toastError } from "../../../ui/toast";
import { ifMatch } from "../versions";
import { asUserError } from "./guards";
import { ResetLink } from "./reset_link";

const refreshUsers = () => refreshPaths("/api/v1/users");

/** What is done at once, each with a question before it. */
export function UserActions({ user, onDeleted }: { user: User; onDeleted: () => void }) {
  const isSelf = useMe().id === user.id;
  if (isSelf) return null;
  return (
    <div className="flex flex-wrap gap-2">
      <PasswordReset user={user} />
      {user.mfa_enabled && <DisableMfa user={user} />}
      <Delete user={user} onDeleted={onDeleted} />
    </div>
  );
}

function PasswordReset({ user }: { user: User }) {
  const [isOpen, setOpen] = useState(false);
  const link = $api.useMutation("post", "/api/v1/users/{user_id}/password-reset");
  const close = () => setOpen(false);
  const make = () => {
    setOpen(true);
    link.mutate({ params: { path: { user_id: user.id } } });
  };
  return (
    <>
      <Button onClick={make}>
        <KeyRound aria-hidden className="size-4" /> Password link
      </Button>
      <Dialog
        isOpen={isOpen}
        onClose={close}
        title="A link for a new password"
        about="The present password counts until they have used it. The second factor stays."
      >
        <ResetLink
          name={user.full_name || user.email}
          reset={link.data}
          error={link.error}
          onRetry={make}
          onClose={close}
        />
      </Dialog>
    </>
  );
}

function DisableMfa({ user }: { user: User }) {
  const disable = $api.useMutation("post", "/api/v1/users/{user_id}/mfa/disable", {
    onSuccess: () => toast("The second factor is off"),
    onError: (error) => toastError("The second factor is still on", asUserError(error)),
    onSettled: refreshUsers,
  });
  const params = { path: { user_id: user.id }, header: { "Idempotency-Key": idempotencyKey() } };
  return (
    <Confirm
      title="Take the second factor away?"
      action="Turn off"
      onConfirm={() => disable.mutateAsync({ params })}
      trigger={
        <Button>
          <ShieldOff aria-hidden className="size-4" /> Turn second factor off
        </Button>
      }
    >
      For who has lost both the phone and the recovery codes. Make sure that it is {user.full_name} who asks:
      the password alone opens the account then.
    </Confirm>
  );
}

function Delete({ user, onDeleted }: { user: User; onDeleted: () => void }) {
  const remove = $api.useMutation("delete", "/api/v1/users/{user_id}", {
    onSuccess: () => {
      toast(`${user.full_name} is deleted`);
      onDeleted();
    },
    onError: (error) => toastError("The user is not deleted", asUserError(error)),
    onSettled: refreshUsers,
  });
  return (
    <Confirm
      title={`Delete ${user.full_name}?`}
      action="Delete user"
      onConfirm={() => remove.mutateAsync({ params: { path: { user_id: user.id }, header: ifMatch(user) } })}
      trigger={
        <Button>
          <Trash2 aria-hidden className="size-4" /> Delete
        </Button>
      }
    >
      Their sessions and API keys end at once. What they did stays, also in the audit log. This cannot be
      undone; to keep somebody out for a while, set the status to disabled.
    </Confirm>
  );
}
