import { FileUp } from "lucide-react";
import { type DragEvent, useRef, useState } from "react";
import { cx } from "../../../lib/classes";
import { Button } from "../../../ui/button";

const accepted = ".json,.jsonl,.ndjson,.md,.markdown,.txt,.text,.rst,.csv,.log";

interface DropZoneProps {
  onFiles: (files: File[]) => void;
}

/** Where files are dropped or chosen. */
export function DropZone({ onFiles }: DropZoneProps) {
  const input = useRef<HTMLInputElement>(null);
  const [isOver, setOver] = useState(false);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    onFiles([...event.dataTransfer.files]);
  };
  return (
    <section
      aria-label="Files to import"
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
      className={cx(
        "flex flex-col items-center gap-3 rounded-lg border border-dashed px-6 py-8 text-center transition-colors",
        isOver ? "border-accent bg-accent-soft" : "border-edge/60 bg-surface",
      )}
    >
      <FileUp aria-hidden className="size-6 text-muted" />
      <p>
        Drop files here, or{" "}
        <Button className="ml-1" onClick={() => input.current?.click()}>
          Choose files
        </Button>
      </p>
      <input
        ref={input}
        type="file"
        multiple
        accept={accepted}
        aria-label="Files"
        className="sr-only"
        tabIndex={-1}
        onChange={(event) => {
          onFiles([...(event.target.files ?? [])]);
          // So that the same file can be chosen again after it was mended.
          event.target.value = "";
        }}
      />
      <ul className="flex flex-col gap-0.5 text-xs text-muted">
        <li>
          <code className="font-mono">agent_id.json</code> of an .agent-knowledge directory, and JSON Lines:
          taken over as they are
        </li>
        <li>Markdown and plain text: cut into items by headings and paragraphs</li>
      </ul>
    </section>
  );
}
