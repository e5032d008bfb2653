import type { ReactNode } from "react";
import { useId, useRef } from "react";
import { Controller, type FieldErrors, type UseFormReturn, useForm, type Validate } from "react-hook-form";
import { asApiError } from "../../api/problem";
import { rulesOf, showFaults, validJsonObject } from "../../lib/forms";
import { Button } from "../../ui/button";
import { ChipsInput } from "../../ui/chips";
import { Field, Input } from "../../ui/field";
import { Panel } from "../../ui/page";
import { Notice } from "../../ui/states";
import { ConfigEditor } from "./config_editor";
import { configFaults, knownKeys, parseConfig } from "./config_model";
import {
  type AgentValues,
  capabilitiesMax,
  capabilityMax,
  fieldNames,
  idFault,
  idFromName,
} from "./form_model";
import { useModelNames } from "./queries";
import { useUnsavedWarning } from "./unsaved";

interface AgentFormProps {
  initial: AgentValues;
  isNew: boolean;
  action: string;
  /** A link that leaves without saving. */
  cancel: ReactNode;
  /** Throws what the API answers. After `allowLeaving` the page can be left without a question. */
  onSubmit: (values: AgentValues, allowLeaving: () => void) => Promise<void>;
}

const body = "AgentCreate";

const configRules = {
  validate: {
    json: validJsonObject,
    ...Object.fromEntries(
      knownKeys.map((key) => [key, (text: string) => configFaults(parseConfig(text) ?? {})[key] ?? true]),
    ),
  },
};

export function AgentForm({ initial, isNew, action, cancel, onSubmit }: AgentFormProps) {
  const form = useForm<AgentValues>({ defaultValues: initial, criteriaMode: "all", shouldFocusError: false });
  const { errors, isSubmitting, isDirty } = form.formState;
  const unsaved = useUnsavedWarning(isDirty);
  const element = useRef<HTMLFormElement>(null);
  // Once the faults stand beside their controls, which may be out of sight.
  const focusFault = () =>
    requestAnimationFrame(() => element.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus());
  const submit = form.handleSubmit(async (values) => {
    try {
      await onSubmit(values, unsaved.allow);
    } catch (error) {
      showFaults(error, fieldNames, form.setError);
      showConfigFaults(error, form);
      focusFault();
    }
  }, focusFault);
  return (
    <form ref={element} noValidate onSubmit={(event) => void submit(event)} className="flex flex-col gap-4">
      <div className="grid items-start gap-4 lg:grid-cols-2">
        <Panel title="Agent">
          <div className="flex flex-col gap-4">
            <Identity form={form} isNew={isNew} />
            <Abilities form={form} />
          </div>
        </Panel>
        <Panel title="How it thinks">
          <Controller
            name="config"
            control={form.control}
            rules={configRules}
            render={({ field }) => (
              <ConfigEditor value={field.value} onChange={field.onChange} {...configErrors(errors)} />
            )}
          />
        </Panel>
      </div>
      <div className="sticky bottom-0 z-10 -mx-4 flex flex-wrap items-center justify-end gap-2 border-t border-line bg-canvas px-4 py-3 md:-mx-6 md:px-6">
        {errors.root && (
          <div className="mr-auto">
            <Notice tone="danger">{errors.root.message}</Notice>
          </div>
        )}
        {cancel}
        <Button type="submit" look="primary" isBusy={isSubmitting}>
          {action}
        </Button>
      </div>
      {unsaved.dialog}
    </form>
  );
}

/** What the server said of single keys of the config, beside their controls. */
function showConfigFaults(error: unknown, form: UseFormReturn<AgentValues>) {
  const faults = asApiError(error).faults.filter((fault) => fault.path.startsWith("config."));
  if (faults.length === 0) return;
  const types = Object.fromEntries(
    faults.map((fault) => [fault.path.slice("config.".length), fault.message]),
  );
  form.setError("config", { type: "server", types });
}

function configErrors({ config }: FieldErrors<AgentValues>) {
  const { json, ...types } = config?.types ?? {};
  const faults = Object.entries(types).filter(
    (each): each is [string, string] => typeof each[1] === "string",
  );
  const isOfKeys = faults.length > 0 || typeof json === "string";
  return {
    faults: Object.fromEntries(faults),
    error: typeof json === "string" ? json : isOfKeys ? undefined : config?.message,
  };
}

function Identity({ form, isNew }: { form: UseFormReturn<AgentValues>; isNew: boolean }) {
  const { register, formState, setValue, getFieldState } = form;
  const { errors, isSubmitted } = formState;
  const suggestId = (name: string) => {
    if (isNew && !getFieldState("id", formState).isDirty)
      setValue("id", idFromName(name), { shouldValidate: isSubmitted });
  };
  return (
    <>
      <Field label="Name" isRequired error={errors.name?.message}>
        <Input
          autoComplete="off"
          autoFocus={isNew}
          {...register("name", {
            ...rulesOf<AgentValues, "name">(body, "name"),
            onChange: (event: { target: HTMLInputElement }) => suggestId(event.target.value),
          })}
        />
      </Field>
      {isNew && <IdField form={form} />}
      <Field
        label="Specialization"
        isRequired
        hint="The field it works in; tasks without a named agent are given out by it."
        error={errors.specialization?.message}
      >
        <Input autoComplete="off" {...register("specialization", rulesOf(body, "specialization"))} />
      </Field>
    </>
  );
}

function IdField({ form: { register, formState } }: { form: UseFormReturn<AgentValues> }) {
  const { validate, ...rules } = rulesOf<AgentValues, "id">(body, "id");
  const checks = { isFree: idFault, ...(typeof validate === "function" ? { matches: validate } : {}) };
  return (
    <Field
      label="Id"
      isRequired
      hint="Small letters, digits, _ and -; it names the agent in the API and cannot be changed later."
      error={formState.errors.id?.message}
    >
      <Input
        autoComplete="off"
        spellCheck={false}
        className="font-mono"
        {...register("id", { ...rules, validate: checks as Record<string, Validate<string, AgentValues>> })}
      />
    </Field>
  );
}

function Abilities({ form: { register, control, formState } }: { form: UseFormReturn<AgentValues> }) {
  const { errors } = formState;
  const models = useModelNames();
  const { min, max } = rulesOf<AgentValues, "max_concurrency">(body, "max_concurrency");
  const listId = useId();
  return (
    <>
      <Field
        label="Model"
        isRequired
        hint="One of the list or any other name; what no provider knows becomes its default model."
        error={errors.model?.message}
      >
        <Input
          autoComplete="off"
          spellCheck={false}
          list={listId}
          className="font-mono"
          {...register("model", {
            ...rulesOf<AgentValues, "model">(body, "model"),
            required: "This is needed.",
          })}
        />
      </Field>
      <datalist id={listId}>
        {models.map((model) => (
          <option key={model} value={model} />
        ))}
      </datalist>
      <Controller
        name="capabilities"
        control={control}
        rules={{ validate: (all) => all.length <= capabilitiesMax || `At most ${capabilitiesMax}.` }}
        render={({ field: { value, onChange, onBlur, ref } }) => (
          <Field
            label="Capabilities"
            hint="What it can do, for choosing among agents. Enter adds one."
            error={errors.capabilities?.message}
          >
            <ChipsInput
              ref={ref}
              values={value}
              onChange={onChange}
              onBlur={onBlur}
              noun="capability"
              maxLength={capabilityMax}
              placeholder="threat modelling, …"
            />
          </Field>
        )}
      />
      <Field
        label="Tasks at a time"
        isRequired
        hint="More of them wait. Delegated tasks do not count."
        error={errors.max_concurrency?.message}
      >
        <Input
          type="number"
          min={1}
          max={1000}
          className="max-w-32"
          {...register("max_concurrency", {
            required: "This is needed.",
            min,
            max,
            valueAsNumber: true,
            validate: (value) => Number.isInteger(value) || "Must be a whole number.",
          })}
        />
      </Field>
    </>
  );
}
