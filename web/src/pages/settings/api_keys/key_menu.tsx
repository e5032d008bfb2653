import { Ellipsis, RotateCcwKey, Trash2 } from "lucide-react";
import { useState } from "react";
import { $api, refreshPaths } from "../../../api/client";
import type { ApiKey } from "../../../api/people";
import { IconButton } from "../../../ui/button";
import { Dialog, Question } from "../../../ui/dialog";
import { Menu, MenuItem } from "../../../ui/menu";
import { toast, toastError } from "../../../ui/toast";
import { ifMatch } from "../versions";
import { CreatedKey } from "./created_key";
import { RotateForm } from "./rotate_form";

type Open = { is: "nothing" } | { is: "rotate" } | { is: "revoke" } | { is: "created"; secret: string };

/** What can be done with a key. */
export function KeyMenu({ apiKey }: { apiKey: ApiKey }) {
  const [open, setOpen] = useState<Open>({ is: "nothing" });
  const close = () => setOpen({ is: "nothing" });
  return (
    <>
      <Menu
        trigger={
          <IconButton label={`Actions for ${apiKey.name}`}>
            <Ellipsis aria-hidden className="size-4" />
          </IconButton>
        }
      >
        <MenuItem onSelect={() => setOpen({ is: "rotate" })}>
          <RotateCcwKey aria-hidden className="size-4" /> Rotate…
        </MenuItem>
        <MenuItem isDanger onSelect={() => setOpen({ is: "revoke" })}>
          <Trash2 aria-hidden className="size-4" /> Revoke…
        </MenuItem>
      </Menu>
      <Dialog isOpen={open.is === "rotate"} onClose={close} title={`Rotate ${apiKey.name}`}>
        <RotateForm
          apiKey={apiKey}
          onDone={(secret) => setOpen({ is: "created", secret })}
          onCancel={close}
        />
      </Dialog>
      <Dialog isOpen={open.is === "created"} onClose={close} isWide title={`New key for ${apiKey.name}`}>
        {open.is === "created" && <CreatedKey secret={open.secret} onClose={close} />}
      </Dialog>
      <Revoke apiKey={apiKey} isOpen={open.is === "revoke"} onClose={close} />
    </>
  );
}

function Revoke({ apiKey, isOpen, onClose }: { apiKey: ApiKey; isOpen: boolean; onClose: () => void }) {
  const revoke = $api.useMutation("delete", "/api/v1/auth/api-keys/{key_id}", {
    onSuccess: () => toast(`${apiKey.name} is revoked`),
    onError: (error) => toastError(`${apiKey.name} is not revoked`, error),
    onSettled: () => refreshPaths("/api/v1/auth/api-keys"),
  });
  return (
    <Question
      isOpen={isOpen}
      onOpenChange={onClose}
      title={`Revoke ${apiKey.name}?`}
      action="Revoke key"
      onConfirm={() =>
        revoke.mutateAsync({ params: { path: { key_id: apiKey.id }, header: ifMatch(apiKey) } })
      }
    >
      Programs that use it get in no more, within a second. This cannot be undone.
    </Question>
  );
}
