import { useState } from "react";
import { $api, type Schemas } from "../../../api/client";
import { Button } from "../../../ui/button";
import { DialogActions } from "../../../ui/dialog";
import { PasswordLink } from "../password_link";
import { UserForm } from "../user_form";

interface FirstUserProps {
  organisation: Schemas["Organisation"];
  onClose: () => void;
}

/** How an organisation gets somebody who may come in; they make the others. */
export function FirstUser({ organisation, onClose }: FirstUserProps) {
  const [made, setMade] = useState<Schemas["NewUser"]>();
  const create = $api.useMutation("post", "/api/v1/organisations/{organisation_id}/users");
  const params = { path: { organisation_id: organisation.id } };
  if (!made)
    return (
      <UserForm
        firstRole="admin"
        isBuiltInOnly
        emailHint="What they sign in with. It tells the organisation, so no other user of the installation has it."
        onSubmit={async (body) => setMade(await create.mutateAsync({ params, body }))}
        onCancel={onClose}
      />
    );
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
