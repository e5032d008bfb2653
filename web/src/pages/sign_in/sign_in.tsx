import { useEffect, useState } from "react";
import { useForm } from "react-hook-form";
import { asApiError } from "../../api/problem";
import { register as registerUser, signIn, type Ways, waysToSignIn } from "../../api/session";
import { Button } from "../../ui/button";
import { Field, Input } from "../../ui/field";
import { Notice } from "../../ui/states";
import { Card } from "./card";

interface Values {
  email: string;
  password: string;
  code: string;
}

export function SignIn({ reason }: { reason?: string }) {
  const [ways, setWays] = useState<Ways>();
  const [isRegistering, setRegistering] = useState(false);
  useEffect(() => {
    // Without an answer there is the password, which is there in any case.
    waysToSignIn().then(setWays, () => undefined);
  }, []);
  if (isRegistering) return <Register onBack={() => setRegistering(false)} />;
  return (
    <Card title="Sign in" about={reason ?? "To your team's Agent Lightning."}>
      <PasswordForm />
      {!window.isSecureContext && (
        <div className="mt-4">
          <Notice>This connection is not encrypted: anybody on the way can read your password.</Notice>
        </div>
      )}
      {ways?.provider && (
        <Button asChild className="mt-3 w-full">
          <a
            href={`/api/v1/auth/provider?return_to=${encodeURIComponent(location.pathname + location.search)}`}
          >
            Continue with {ways.provider.name}
          </a>
        </Button>
      )}
      {ways?.registration && (
        <Button look="quiet" className="mt-2 w-full" onClick={() => setRegistering(true)}>
          Ask for an account
        </Button>
      )}
    </Card>
  );
}

function PasswordForm() {
  const { register, handleSubmit, formState, setError, setFocus } = useForm<Values>();
  const [needsCode, setNeedsCode] = useState(false);
  const { errors, isSubmitting } = formState;
  useEffect(() => {
    if (needsCode) setFocus("code");
  }, [needsCode, setFocus]);
  const submit = handleSubmit(async ({ email, password, code }) => {
    try {
      await signIn(email.trim(), password, needsCode ? code.replace(/\s/g, "") : undefined);
    } catch (error) {
      const problem = asApiError(error);
      if (problem.code === "mfa_required" && !needsCode) setNeedsCode(true);
      else setError("root", { message: problem.message });
    }
  });
  return (
    <form noValidate onSubmit={(event) => void submit(event)} className="flex flex-col gap-4">
      <Field label="Email" error={errors.email?.message}>
        <Input
          type="email"
          autoComplete="username"
          autoFocus
          {...register("email", { required: "Enter your email address." })}
        />
      </Field>
      <Field label="Password" error={errors.password?.message}>
        <Input
          type="password"
          autoComplete="current-password"
          {...register("password", { required: "Enter your password." })}
        />
      </Field>
      {needsCode && (
        <Field
          label="Code"
          hint="Of your authenticator app, or one of your recovery codes."
          error={errors.code?.message}
        >
          <Input autoComplete="one-time-code" {...register("code", { required: "Enter the code." })} />
        </Field>
      )}
      {errors.root && <Notice tone="danger">{errors.root.message}</Notice>}
      <Button type="submit" look="primary" isBusy={isSubmitting}>
        Sign in
      </Button>
    </form>
  );
}

function Register({ onBack }: { onBack: () => void }) {
  const { register, handleSubmit, formState, setError } = useForm<{
    email: string;
    name: string;
    password: string;
  }>();
  const [isSent, setSent] = useState(false);
  const { errors, isSubmitting } = formState;
  const submit = handleSubmit(async ({ email, name, password }) => {
    try {
      await registerUser(email.trim(), name.trim(), password);
      setSent(true);
    } catch (error) {
      const problem = asApiError(error);
      setError("root", { message: problem.faults[0]?.message ?? problem.message });
    }
  });
  if (isSent) {
    return (
      <Card title="Asked for">
        <Notice tone="ok">
          An administrator has to let you in. Then sign in with this address and password.
        </Notice>
        <Button className="mt-4 w-full" onClick={onBack}>
          Back to the sign-in
        </Button>
      </Card>
    );
  }
  return (
    <Card title="Ask for an account" about="An administrator decides.">
      <form noValidate onSubmit={(event) => void submit(event)} className="flex flex-col gap-4">
        <Field label="Name" error={errors.name?.message}>
          <Input autoComplete="name" autoFocus {...register("name", { required: "Enter your name." })} />
        </Field>
        <Field label="Email" error={errors.email?.message}>
          <Input
            type="email"
            autoComplete="username"
            {...register("email", { required: "Enter your email address." })}
          />
        </Field>
        <Field label="Password" hint="At least 8 characters." error={errors.password?.message}>
          <Input
            type="password"
            autoComplete="new-password"
            {...register("password", {
              required: "Choose a password.",
              minLength: { value: 8, message: "At least 8 characters." },
            })}
          />
        </Field>
        {errors.root && <Notice tone="danger">{errors.root.message}</Notice>}
        <Button type="submit" look="primary" isBusy={isSubmitting}>
          Ask for an account
        </Button>
        <Button look="quiet" onClick={onBack}>
          Back
        </Button>
      </form>
    </Card>
  );
}
