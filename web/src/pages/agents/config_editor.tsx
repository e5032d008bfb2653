import { useState } from "react";
import { Field, TextArea } from "../../ui/field";
import { Notice } from "../../ui/states";
import { Tabs } from "../../ui/tabs";
import { ConfigForm } from "./config_form";
import { formatConfig, parseConfig } from "./config_model";

interface ConfigEditorProps {
  /** A JSON object, as text. */
  value: string;
  onChange: (value: string) => void;
  /** What is wrong, by key. */
  faults: Record<string, string>;
  /** What is wrong with the whole. */
  error: string | undefined;
}

/** A config by its known keys, and as the JSON that it is. Both show the same text. */
export function ConfigEditor({ value, onChange, faults, error }: ConfigEditorProps) {
  const [view, setView] = useState("form");
  const config = parseConfig(value);
  const form = config ? (
    <ConfigForm config={config} onChange={(next) => onChange(formatConfig(next))} faults={faults} />
  ) : (
    <Notice tone="danger">The JSON cannot be read: mend it first.</Notice>
  );
  const json = (
    <Field
      label="Config"
      hint="Keys that the platform does not know are kept as they are."
      error={[error, ...Object.entries(faults).map(([key, fault]) => `${key}: ${fault}`)]
        .filter(Boolean)
        .join(" ")}
    >
      <TextArea
        rows={22}
        spellCheck={false}
        className="font-mono text-xs"
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
    </Field>
  );
  return (
    <Tabs
      value={view}
      onChange={setView}
      label="How the config is edited"
      tabs={[
        { value: "form", label: "Form", content: form },
        { value: "json", label: "JSON", content: json },
      ]}
    />
  );
}
