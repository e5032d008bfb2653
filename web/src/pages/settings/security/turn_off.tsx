import { useState } from "react";
import { useForm } from "react-hook-form";
import { api } from "../../../api/client";
import { loadMe } from "../../../api/session";
import { showFaults } from "../../../lib/forms";
import { Button } from "../../../ui/button";
import { Dialog } from "../../../ui/dialog";
import { Field, Input } from "../../../ui/field";
import { FormEnd } from "../../../ui/form_end";
import { toast } from "../../../ui/toast";

/** Asks for the password, so that an open screen is not enough. */
export function TurnOff() {
  const [isOpen, setOpen] = useState(false);
  const close = () => setOpen(false);
  return (
    <>
      <Button onClick={() => setOpen(true)}>Turn off</Button>
      <Dialog
        isOpen={isOpen}
        onClose={close}
        title="Turn the second factor off"
        about="Signing in takes your password alone then, and your recovery codes are void."
      >
        <PasswordProof onClose={close} />
      </Dialog>
    </>
  );
}

function PasswordProof({ onClose }: { onClose: () => void }) {
  const { register, handleSubmit, formState, setError } = useForm<{ password: string }>();
  const { errors, isSubmitting } = formState;
  const submit = handleSubmit(async (body) => {
    try {
      await api.POST("/api/v1/auth/mfa/disable", { body });
      await loadMe();
      toast("The second factor is off");
      onClose();
    } catch (error) {
      showFaults(error, ["password"], setError);
    }
  });
  return (
    <form noValidate onSubmit={(event) => void submit(event)} className="flex flex-col gap-4">
      <Field label="Password" error={errors.password?.message}>
        <Input
          type="password"
          autoComplete="current-password"
          autoFocus
          {...register("password", { required: "Enter your password." })}
        />
      </Field>
      <FormEnd
        fault={errors.root?.message}
        action="Turn off"
        isDangerous
        isBusy={isSubmitting}
        onCancel={onClose}
      />
    </form>
  );
}
