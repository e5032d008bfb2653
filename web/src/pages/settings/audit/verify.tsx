import { ShieldCheck } from "lucide-react";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { $api } from "../../../api/client";
import { asApiError } from "../../../api/problem";
import { Button } from "../../../ui/button";
import { Dialog, DialogActions } from "../../../ui/dialog";
import { Field, Input } from "../../../ui/field";
import { Notice } from "../../../ui/states";
import { Verdict } from "./verdict";

interface Values {
  seq: string;
  hash: string;
}

/** Has the server read the whole trail and say whether it is what was written. */
export function Verify() {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button onClick={() => setOpen(true)}>
        <ShieldCheck aria-hidden className="size-4" /> Verify
      </Button>
      <Dialog
        isOpen={isOpen}
        onClose={() => setOpen(false)}
        title="Verify the trail"
        about="Reads every entry and checks its place in the chain, and the signatures."
      >
        <VerifyForm />
      </Dialog>
    </>
  );
}

function VerifyForm() {
  const { register, handleSubmit, formState } = useForm<Values>({ defaultValues: { seq: "", hash: "" } });
  const { errors } = formState;
  // Not a query: it reads everything, and so only when it is asked to.
  const { mutate, data, variables, error, isPending } = $api.useMutation("get", "/api/v1/audit/verify");
  const submit = handleSubmit(({ seq, hash }) =>
    mutate({ params: { query: seq && hash ? { seq: Number(seq), hash: hash.trim() } : {} } }),
  );
  return (
    <form noValidate onSubmit={(event) => void submit(event)} className="flex flex-col gap-4">
      <details>
        <summary className="cursor-pointer font-medium">Compare with a noted link</summary>
        <p className="mt-1 text-muted">
          A line “audit checkpoint” of the server's log names a link and its hash. With them an end that was
          cut off together with its signatures is found, too.
        </p>
        <div className="mt-2 grid gap-3 sm:grid-cols-[6rem_1fr]">
          <Field label="Link" error={errors.seq?.message}>
            <Input
              inputMode="numeric"
              {...register("seq", {
                validate: (seq, { hash }) =>
                  (seq === "" ? hash === "" : /^[1-9]\d*$/.test(seq)) || "A number, beside the hash.",
              })}
            />
          </Field>
          <Field label="Hash" error={errors.hash?.message}>
            <Input
              className="font-mono"
              {...register("hash", {
                validate: (hash, { seq }) =>
                  (hash === "" ? seq === "" : /^\s*[0-9a-f]{64}\s*$/.test(hash)) ||
                  "64 hexadecimal digits, beside the link.",
              })}
            />
          </Field>
        </div>
      </details>
      <div aria-live="polite">
        {error && <Notice tone="danger">{asApiError(error).message}</Notice>}
        {data && !isPending && (
          <Verdict report={data} hasNote={variables?.params?.query?.seq !== undefined} />
        )}
      </div>
      <DialogActions>
        <Button type="submit" look="primary" isBusy={isPending}>
          {isPending ? "Reading the trail…" : data ? "Verify again" : "Verify now"}
        </Button>
      </DialogActions>
    </form>
  );
}
