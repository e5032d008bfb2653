import type { UseFormReturn } from "react-hook-form";
import { Button } from "../../ui/button";
import { Field, Input } from "../../ui/field";
import { Notice } from "../../ui/states";
import { isOtherHost, type Provider, type ProviderValues } from "./provider_values";

interface KeyFieldProps {
  form: UseFormReturn<ProviderValues>;
  provider: Provider | undefined;
}

/** The key goes one way. One that is stored is kept, replaced or taken away, and never shown. */
export function KeyField({ form, provider }: KeyFieldProps) {
  const { register, formState, watch, setValue } = form;
  const use = watch("keyUse");
  const hasKey = provider?.has_key ?? false;
  const isMoved = hasKey && isOtherHost(provider?.base_url ?? "", watch("base_url"));
  const choose = (next: ProviderValues["keyUse"]) => {
    setValue("keyUse", next);
    setValue("key", "");
  };
  if (hasKey && (use === "remove" || (use === "keep" && !isMoved))) {
    return (
      <div className="flex flex-col gap-1">
        <span className="font-medium">Key</span>
        <div className="flex flex-wrap items-center gap-2">
          <span className="flex-1 text-muted">
            {use === "keep" ? "One is stored, and is kept." : "It is taken away when you save."}
          </span>
          <Button onClick={() => choose("set")}>Replace</Button>
          {use === "keep" && <Button onClick={() => choose("remove")}>Remove</Button>}
          {use === "remove" && !isMoved && <Button onClick={() => choose("keep")}>Keep it</Button>}
        </div>
      </div>
    );
  }
  return (
    <div className="flex flex-col gap-2">
      {isMoved && (
        <Notice>
          The stored key was given for another host. Give the key for this one; it is not sent on.
        </Notice>
      )}
      <Field
        label="Key"
        hint={hasKey ? "Replaces the one that is stored." : "Leave it empty where none is wanted."}
        error={formState.errors.key?.message}
      >
        <Input
          type="password"
          autoComplete="off"
          className="font-mono"
          {...register("key", {
            maxLength: { value: 4096, message: "At most 4,096 characters." },
            validate: (key) =>
              isMoved && key === ""
                ? "Give the key for this host, or remove the stored one."
                : /^[\x21-\x7e]*$/.test(key) ||
                  "Visible ASCII characters without spaces: check what was pasted.",
            onChange: () => setValue("keyUse", "set"),
          })}
        />
      </Field>
      {hasKey && (
        <Button look="quiet" className="self-start" onClick={() => choose(isMoved ? "remove" : "keep")}>
          {isMoved ? "Remove the stored key" : "Keep the stored key"}
        </Button>
      )}
    </div>
  );
}
