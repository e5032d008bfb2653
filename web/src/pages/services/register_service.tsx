import { Plus } from "lucide-react";
import { useRef, useState } from "react";
import { type UseFormReturn, useForm } from "react-hook-form";
import { api, idempotencyKey, refreshPaths, type Schemas } from "../../api/client";
import { fieldOf, rulesOf, showFaults, validJsonObject } from "../../lib/forms";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { Field, Input, Select, TextArea } from "../../ui/field";
import { FormEnd } from "../../ui/form_end";
import { toast } from "../../ui/toast";
import { bodyOf, emptyRegistration, type RegistrationValues } from "./registration";
import { useServicesSearch } from "./use_services_search";

const body = "ServiceInstanceCreate";
const names = Object.keys(emptyRegistration) as (keyof RegistrationValues)[];

/** Registers an instance of a service that is none of ours. */
export function RegisterService() {
  const [isOpen, setOpen] = useState(false);
  const [, change] = useServicesSearch();
  return (
    <>
      <Button look="primary" onClick={() => setOpen(true)}>
        <Plus aria-hidden className="size-4" /> Register service
      </Button>
      <Dialog
        isOpen={isOpen}
        onClose={() => setOpen(false)}
        title="Register a service"
        about="One instance of a service that runs elsewhere. Its health is asked every ten seconds."
        isSheet
      >
        {isOpen && (
          <RegistrationForm
            onCancel={() => setOpen(false)}
            onDone={(instance) => {
              setOpen(false);
              toast(`${instance.name} is registered`);
              refreshPaths("/api/v1/services", "/api/v1/instances", "/api/v1/topology");
              change({ service: instance.name });
            }}
          />
        )}
      </Dialog>
    </>
  );
}

interface FormProps {
  onCancel: () => void;
  onDone: (instance: Schemas["ServiceInstance"]) => void;
}

function RegistrationForm({ onCancel, onDone }: FormProps) {
  const form = useForm<RegistrationValues>({ defaultValues: emptyRegistration });
  // A repetition after a lost answer has the same key, and another body another one.
  const sent = useRef({ body: "", key: "" });
  const { errors, isSubmitting } = form.formState;
  const submit = form.handleSubmit(async (values) => {
    try {
      const registration = bodyOf(values);
      const text = JSON.stringify(registration);
      if (sent.current.body !== text) sent.current = { body: text, key: idempotencyKey() };
      const { data } = await api.POST("/api/v1/instances", {
        body: registration,
        headers: { "Idempotency-Key": sent.current.key },
      });
      if (data) onDone(data);
    } catch (error) {
      showFaults(error, names, form.setError);
    }
  });
  return (
    <form noValidate onSubmit={(event) => void submit(event)} className="flex flex-col gap-4">
      <Address form={form} />
      <Spread form={form} />
      <Watch form={form} />
      <FormEnd fault={errors.root?.message} action="Register" isBusy={isSubmitting} onCancel={onCancel} />
    </form>
  );
}

type Part = { form: UseFormReturn<RegistrationValues> };
type TextName = Exclude<keyof RegistrationValues, "scheme" | "metadata" | "tags" | "depends_on">;

interface TextFieldProps extends Part {
  name: TextName;
  label: string;
  type?: "text" | "number";
  /** Instead of what the API says, where that is for who writes JSON. */
  hint?: string;
  isRequired?: boolean;
}

/** One field as the API describes it: hint, bounds, and the value that it has when it is left empty. */
function TextField({ form, name, label, type = "text", hint, isRequired }: TextFieldProps) {
  const { description, default: fallback } = fieldOf(body, name);
  return (
    <Field
      label={label}
      hint={hint ?? description}
      error={form.formState.errors[name]?.message}
      isRequired={isRequired}
    >
      <Input
        type={type}
        placeholder={fallback == null ? undefined : String(fallback)}
        {...form.register(name, rulesOf<RegistrationValues, TextName>(body, name))}
      />
    </Field>
  );
}

function Address({ form }: Part) {
  return (
    <>
      <TextField
        form={form}
        name="name"
        label="Service"
        hint="Lower-case letters, digits, - and _."
        isRequired
      />
      <div className="grid grid-cols-[6rem_1fr_6rem] gap-3">
        <Field label="Scheme">
          <Select {...form.register("scheme")}>
            <option>http</option>
            <option>https</option>
          </Select>
        </Field>
        <TextField form={form} name="host" label="Host" isRequired />
        <TextField form={form} name="port" label="Port" type="number" isRequired />
      </div>
    </>
  );
}

function Spread({ form }: Part) {
  const { errors } = form.formState;
  return (
    <>
      <div className="grid gap-3 sm:grid-cols-3">
        <TextField form={form} name="release" label="Release" />
        <TextField form={form} name="zone" label="Zone" />
        <TextField form={form} name="weight" label="Weight" type="number" />
      </div>
      <Field
        label="Tags"
        hint="With commas between them. It can be found by them."
        error={errors.tags?.message}
      >
        <Input {...form.register("tags")} />
      </Field>
      <Field
        label="Calls"
        hint="Services that it calls, with commas between them. They make up the topology."
        error={errors.depends_on?.message}
      >
        <Input {...form.register("depends_on")} />
      </Field>
    </>
  );
}

function Watch({ form }: Part) {
  return (
    <>
      <TextField form={form} name="health_path" label="Health path" />
      <TextField
        form={form}
        name="ttl_seconds"
        label="Gone without a heartbeat after (seconds)"
        hint="Left empty it sends no heartbeats, and is gone once it has not answered for a minute."
        type="number"
      />
      <Field
        label="Metadata"
        hint="A JSON object: anything else about it."
        error={form.formState.errors.metadata?.message}
      >
        <TextArea
          rows={3}
          spellCheck={false}
          className="font-mono text-xs"
          {...form.register("metadata", { validate: validJsonObject })}
        />
      </Field>
    </>
  );
}
