import type { ComponentProps } from "react";
import { useState } from "react";
import { isSame } from "../../lib/differences";
import { TextArea } from "../../ui/field";

interface JsonFieldProps extends Omit<ComponentProps<"textarea">, "value" | "onChange" | "className"> {
  /** A text is JSON that cannot be read yet. */
  value: unknown;
  /** Undefined when it was emptied; the text itself while it is no JSON, so that a check can refuse it. */
  onValue: (value: unknown) => void;
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}

function parsed(text: string): unknown {
  if (text.trim() === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** A value as JSON. What is being typed stays as it is typed, as long as it means what the value is. */
export function JsonField({ value, onValue, ...rest }: JsonFieldProps) {
  const [typed, setTyped] = useState(() => textOf(value));
  const shown = isSame(parsed(typed), value ?? undefined) ? typed : textOf(value);
  return (
    <TextArea
      {...rest}
      spellCheck={false}
      className="font-mono text-xs"
      value={shown}
      onChange={(event) => {
        setTyped(event.target.value);
        onValue(parsed(event.target.value));
      }}
    />
  );
}
