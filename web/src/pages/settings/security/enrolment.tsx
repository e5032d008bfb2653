import { useForm } from "react-hook-form";
import { $api, type Schemas } from "../../../api/client";
import { showFaults } from "../../../lib/forms";
import { Button } from "../../../ui/button";
import { CopyButton } from "../../../ui/copy";
import { Field, Input } from "../../../ui/field";
import { Notice } from "../../../ui/states";
import { QrCode } from "./qr_code";

interface EnrolmentProps {
  begun: Schemas["MfaSecret"];
  /** With the recovery codes, which are shown once. */
  onDone: (codes: string[]) => void;
  onCancel: () => void;
}

/** Gives the app its secret, and asks for a code that shows that it has it. */
export function Enrolment({ begun, onDone, onCancel }: EnrolmentProps) {
  const { secret, otpauth_uri: uri } = begun;
  return (
    <ol className="flex flex-col gap-5">
      <li>
        <h3 className="font-medium">1. Scan this with your authenticator app</h3>
        <div className="mt-2 flex flex-wrap items-center gap-4">
          <QrCode text={uri} title="QR code for your authenticator app" />
          <div className="min-w-0 flex-1 basis-52">
            <p className="text-muted">On this device? Open it in the app, or type the secret into it:</p>
            <div className="mt-1 flex items-center gap-1">
              <code className="font-mono text-xs" data-testid="mfa-secret">
                {inFours(secret)}
              </code>
              <CopyButton text={secret} label="Copy secret" />
            </div>
            <a href={uri} className="text-accent hover:underline">
              Open in an app
            </a>
          </div>
        </div>
      </li>
      <li>
        <h3 className="font-medium">2. Enter the code that it shows</h3>
        <CodeForm onDone={onDone} onCancel={onCancel} />
      </li>
    </ol>
  );
}

const inFours = (secret: string) => secret.match(/.{1,4}/g)?.join(" ") ?? secret;

function CodeForm({ onDone, onCancel }: Omit<EnrolmentProps, "begun">) {
  const { register, handleSubmit, formState, setError } = useForm<{ code: string }>();
  const confirm = $api.useMutation("post", "/api/v1/auth/mfa/confirm");
  const { errors, isSubmitting } = formState;
  const submit = handleSubmit(async ({ code }) => {
    try {
      const body = { code: code.replace(/\s/g, "") };
      const { recovery_codes: codes } = await confirm.mutateAsync({ body });
      onDone(codes);
    } catch (error) {
      showFaults(error, ["code"], setError);
    }
  });
  return (
    <form noValidate onSubmit={(event) => void submit(event)} className="mt-2 flex max-w-xs flex-col gap-3">
      <Field label="Code" hint="Six digits. It changes every 30 seconds." error={errors.code?.message}>
        <Input
          inputMode="numeric"
          autoComplete="one-time-code"
          className="font-mono"
          {...register("code", {
            validate: (code) => /^\d{6}$/.test(code.replace(/\s/g, "")) || "Enter the six digits.",
          })}
        />
      </Field>
      {errors.root && <Notice tone="danger">{errors.root.message}</Notice>}
      <div className="flex gap-2">
        <Button type="submit" look="primary" isBusy={isSubmitting}>
          Turn on
        </Button>
        <Button onClick={onCancel}>Cancel</Button>
      </div>
    </form>
  );
}
