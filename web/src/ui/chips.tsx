import { X } from "lucide-react";
import type { ClipboardEvent, KeyboardEvent, Ref } from "react";
import { useId, useImperativeHandle, useRef, useState } from "react";
import { cx } from "../lib/classes";

interface ChipsInputProps {
  values: string[];
  onChange: (values: string[]) => void;
  /** What one of them is, for those who hear the page: "capability". */
  noun?: string;
  /** Of one of them, in characters. */
  maxLength?: number;
  placeholder?: string;
  onBlur?: () => void;
  /** For forms that go to the first field that is wrong. */
  ref?: Ref<{ focus: () => void }>;
  id?: string;
  "aria-describedby"?: string;
  "aria-invalid"?: boolean;
}

/** The words of a text that was typed or pasted: one a line, or between commas. */
const wordsOf = (text: string) =>
  text
    .split(/[,\n]/)
    .map((word) => word.trim())
    .filter(Boolean);

/**
 * A list of short words. Enter and comma add what was typed, Backspace takes the last one away; the arrow keys go
 * through those that are there, Delete removes one.
 */
export function ChipsInput({
  values,
  onChange,
  noun = "word",
  maxLength,
  placeholder,
  onBlur,
  ref,
  id,
  ...aria
}: ChipsInputProps) {
  const [text, setText] = useState("");
  const [said, setSaid] = useState("");
  const helpId = useId();
  const list = useRef<HTMLUListElement>(null);
  const input = useRef<HTMLInputElement>(null);
  useImperativeHandle(ref, () => ({ focus: () => input.current?.focus() }));

  const add = (typed: string) => {
    const fresh = wordsOf(typed).filter((word) => !values.includes(word));
    setText("");
    if (fresh.length === 0) return;
    onChange([...new Set([...values, ...fresh])]);
    setSaid(`Added ${fresh.join(", ")}`);
  };
  const remove = (word: string) => {
    onChange(values.filter((each) => each !== word));
    setSaid(`Removed ${word}`);
    input.current?.focus();
  };
  const focusChip = (index: number) => list.current?.querySelectorAll("button")[index]?.focus();

  const typed = (event: KeyboardEvent<HTMLInputElement>) => {
    const isAtStart = text === "" && values.length > 0;
    if (event.nativeEvent.isComposing) return;
    if ((event.key === "Enter" && text.trim()) || event.key === ",") {
      event.preventDefault();
      add(text);
    } else if (event.key === "Backspace" && isAtStart) remove(values.at(-1) ?? "");
    else if (event.key === "ArrowLeft" && isAtStart) focusChip(values.length - 1);
  };
  const pasted = (event: ClipboardEvent<HTMLInputElement>) => {
    const clip = event.clipboardData.getData("text");
    if (!/[,\n]/.test(clip)) return;
    event.preventDefault();
    add(text + clip);
  };
  const onChip = (event: KeyboardEvent, index: number) => {
    if (event.key === "ArrowLeft") focusChip(index - 1);
    else if (event.key === "ArrowRight" && index < values.length - 1) focusChip(index + 1);
    else if (event.key === "ArrowRight") input.current?.focus();
    else if (event.key === "Backspace" || event.key === "Delete") remove(values[index] ?? "");
    else return;
    event.preventDefault();
  };

  return (
    <div
      className={cx(
        "flex min-h-8 w-full flex-wrap items-center gap-1 rounded-md border bg-surface px-1.5 py-1",
        "focus-within:outline-2 focus-within:outline-offset-2 focus-within:outline-accent",
        aria["aria-invalid"] ? "border-danger" : "border-edge/60",
      )}
    >
      <ul ref={list} aria-label={`Chosen: ${noun}`} className="contents">
        {values.map((word, index) => (
          <li
            key={word}
            className="inline-flex h-6 max-w-full items-center gap-0.5 rounded-sm bg-neutral-soft pl-1.5 text-xs font-medium"
          >
            <span className="truncate">{word}</span>
            <button
              type="button"
              aria-label={`Remove ${word}`}
              tabIndex={-1}
              onClick={() => remove(word)}
              onKeyDown={(event) => onChip(event, index)}
              className="grid size-6 place-items-center rounded-sm text-muted hover:text-text"
            >
              <X aria-hidden className="size-3" />
            </button>
          </li>
        ))}
      </ul>
      <input
        {...aria}
        ref={input}
        id={id}
        aria-describedby={cx(aria["aria-describedby"], helpId)}
        value={text}
        maxLength={maxLength}
        placeholder={values.length === 0 ? placeholder : undefined}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={typed}
        onPaste={pasted}
        onBlur={() => {
          add(text);
          onBlur?.();
        }}
        className="h-6 min-w-24 flex-1 bg-transparent px-1 outline-none placeholder:text-muted"
      />
      <span id={helpId} className="sr-only">
        Enter adds a {noun}. The left arrow goes to those that are there, Delete removes one.
      </span>
      <span role="status" className="sr-only">
        {said}
      </span>
    </div>
  );
}
