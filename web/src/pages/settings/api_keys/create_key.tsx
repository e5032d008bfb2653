import { Plus } from "lucide-react";
import { useState } from "react";
import { Button } from "../../../ui/button";
import { Dialog } from "../../../ui/dialog";
import { CreatedKey } from "./created_key";
import { KeyForm } from "./key_form";

export function CreateKey() {
  const [isOpen, setOpen] = useState(false);
  const [secret, setSecret] = useState<string>();
  const close = () => {
    setOpen(false);
    setSecret(undefined);
  };
  return (
    <>
      <Button look="primary" onClick={() => setOpen(true)}>
        <Plus aria-hidden className="size-4" /> Create key
      </Button>
      <Dialog
        isOpen={isOpen}
        onClose={close}
        isWide
        title={secret ? "Key created" : "Create an API key"}
        about={secret ? undefined : "One for each program, so that it can be revoked by itself."}
      >
        {secret ? (
          <CreatedKey secret={secret} onClose={close} />
        ) : (
          <KeyForm onDone={setSecret} onCancel={close} />
        )}
      </Dialog>
    </>
  );
}
