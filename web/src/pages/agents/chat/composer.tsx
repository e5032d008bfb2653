import { ArrowUp, Square } from "lucide-react";
import type { KeyboardEvent } from "react";
import { useEffect, useId, useRef, useState } from "react";
import { fieldOf } from "../../../lib/forms";
import { IconButton } from "../../../ui/button";
import { TextArea } from "../../../ui/field";

interface ComposerProps {
  agentName: string;
  isRunning: boolean;
  onSend: (message: string) => void;
  onStop: () => void;
}

/** On a phone the keyboard would cover what is to be read. */
const hasKeyboard = () => window.matchMedia("(hover: hover)").matches;

export function Composer({ agentName, isRunning, onSend, onStop }: ComposerProps) {
  const [text, setText] = useState("");
  const helpId = useId();
  const input = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    if (hasKeyboard()) input.current?.focus();
  }, []);
  const canSend = text.trim() !== "" && !isRunning;
  const send = () => {
    if (!canSend) return;
    onSend(text.trim());
    setText("");
  };
  const stop = () => {
    onStop();
    input.current?.focus();
  };
  const typed = (event: KeyboardEvent) => {
    // Enter also ends a word of an input method; that is no sending.
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };
  return (
    <form
      className="border-t border-line px-4 py-3 md:px-0"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <div className="mx-auto flex w-full max-w-3xl items-end gap-2 md:px-4">
        <TextArea
          ref={input}
          rows={1}
          aria-label={`Message to ${agentName}`}
          aria-keyshortcuts="Enter"
          aria-describedby={helpId}
          placeholder={`Ask ${agentName}`}
          maxLength={fieldOf("ChatRequestCreate", "message").maxLength}
          className="field-sizing-content max-h-48 flex-1 resize-none! text-base"
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={typed}
        />
        {isRunning ? (
          <IconButton label="Stop the answer" look="plain" onClick={stop}>
            <Square aria-hidden className="size-3.5 fill-current" />
          </IconButton>
        ) : (
          <IconButton label="Send" look="primary" type="submit" disabled={!canSend}>
            <ArrowUp aria-hidden className="size-4" />
          </IconButton>
        )}
      </div>
      <p id={helpId} className="mx-auto mt-1.5 hidden max-w-3xl text-xs text-muted md:block md:px-4">
        Enter sends, Shift-Enter makes a new line.
      </p>
    </form>
  );
}
