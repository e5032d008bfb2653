import type { ComponentProps } from "react";
import { useId } from "react";
import { Checkbox, Field, Input, TextArea } from "../../ui/field";
import {
  type Config,
  extractive,
  type KnownNumber,
  knownKeys,
  knownNumbers,
  knownTools,
  toolsOf,
  withKey,
  withTool,
} from "./config_model";
import { JsonField } from "./json_field";
import { useProviderIds } from "./queries";

interface ConfigFormProps {
  config: Config;
  onChange: (config: Config) => void;
  /** What is wrong, by key. */
  faults: Record<string, string>;
}

/** The keys of a config that the platform knows, each with a control of its own. */
export function ConfigForm({ config, onChange, faults }: ConfigFormProps) {
  const set = (key: string) => (value: unknown) => onChange(withKey(config, key, value));
  const others = Object.keys(config).filter((key) => !knownKeys.includes(key));
  return (
    <div className="flex flex-col gap-4">
      <Field
        label="System prompt"
        hint="Who the agent is. How to cite its knowledge is added by itself."
        error={faults.system_prompt}
      >
        <TextInput
          isLong
          value={config.system_prompt}
          onText={set("system_prompt")}
          placeholder="Made from name, specialization and capabilities"
        />
      </Field>
      <Provider value={config.provider} onChange={set("provider")} error={faults.provider} />
      <div className="grid grid-cols-1 gap-4 sm:grid-cols-2">
        {knownNumbers.map((known) => (
          <NumberField
            key={known.key}
            known={known}
            value={config[known.key]}
            onChange={set(known.key)}
            error={faults[known.key]}
          />
        ))}
      </div>
      <Tools config={config} onChange={onChange} error={faults.tools} />
      <Field
        label="Answer schema"
        hint="A JSON Schema: answers are JSON of it. Left empty, they are free text."
        error={faults.answer_schema}
      >
        <JsonField
          value={config.answer_schema}
          onValue={set("answer_schema")}
          placeholder='{ "type": "object", … }'
        />
      </Field>
      {others.length > 0 && (
        <p className="text-xs text-muted">
          Kept as they are: <span className="font-mono">{others.join(", ")}</span>. The JSON has them.
        </p>
      )}
    </div>
  );
}

interface TextInputProps extends Omit<ComponentProps<"input">, "value" | "onChange"> {
  value: unknown;
  /** Undefined when it was emptied. */
  onText: (text: string | undefined) => void;
  isLong?: boolean;
}

function TextInput({ value, onText, isLong, ...rest }: TextInputProps) {
  const text = typeof value === "string" ? value : "";
  const change = (next: string) => onText(next === "" ? undefined : next);
  return isLong ? (
    <TextArea
      {...(rest as ComponentProps<"textarea">)}
      rows={6}
      value={text}
      onChange={(event) => change(event.target.value)}
    />
  ) : (
    <Input {...rest} value={text} onChange={(event) => change(event.target.value)} />
  );
}

function Provider({
  value,
  onChange,
  error,
}: {
  value: unknown;
  onChange: (value: unknown) => void;
  error?: string;
}) {
  const providers = useProviderIds();
  const listId = useId();
  return (
    <>
      <Field
        label="Provider"
        hint={`The account that the model is asked through. "${extractive}": no model, it quotes what it knows.`}
        error={error}
      >
        <TextInput value={value} onText={onChange} list={listId} placeholder="By the model's name" />
      </Field>
      <datalist id={listId}>
        {[...new Set([...providers, extractive])].map((id) => (
          <option key={id} value={id} />
        ))}
      </datalist>
    </>
  );
}

interface NumberFieldProps {
  known: KnownNumber;
  value: unknown;
  onChange: (value: number | undefined) => void;
  error?: string;
}

function NumberField({ known, value, onChange, error }: NumberFieldProps) {
  return (
    <Field label={known.label} hint={known.hint} error={error}>
      <Input
        type="number"
        min={known.min}
        max={known.max}
        step={known.isWhole ? 1 : 0.1}
        value={typeof value === "number" ? value : ""}
        placeholder={known.standard?.toLocaleString("en") ?? "Not sent"}
        onChange={(event) => onChange(event.target.value === "" ? undefined : event.target.valueAsNumber)}
      />
    </Field>
  );
}

function Tools({
  config,
  onChange,
  error,
}: {
  config: Config;
  onChange: (config: Config) => void;
  error?: string;
}) {
  const id = useId();
  const tools = toolsOf(config);
  const others = tools.filter((tool) => !knownTools.some((known) => known.name === tool));
  return (
    <fieldset className="flex flex-col gap-1.5">
      <legend className="mb-1 font-medium">Tools</legend>
      {knownTools.map(({ name, about }) => (
        <label key={name} htmlFor={`${id}-${name}`} className="flex min-h-6 items-center gap-2">
          <Checkbox
            id={`${id}-${name}`}
            checked={tools.includes(name)}
            onChange={(event) => onChange(withTool(config, name, event.target.checked))}
          />
          <span className="font-mono text-xs">{name}</span>
          <span className="text-xs text-muted">{about}</span>
        </label>
      ))}
      {others.length > 0 && (
        <p className="text-xs text-muted">
          Also named, and passed over: <span className="font-mono">{others.join(", ")}</span>
        </p>
      )}
      {error && <p className="text-xs text-danger">{error}</p>}
    </fieldset>
  );
}
