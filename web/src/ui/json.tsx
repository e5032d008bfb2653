import { CopyButton } from "./copy";

/** A document as it is, indented. */
export function Json({ value, label = "Copy document" }: { value: unknown; label?: string }) {
  const text = JSON.stringify(value, null, 2) ?? "null";
  return (
    <div className="relative">
      <pre
        tabIndex={0}
        className="max-h-96 overflow-auto rounded-md border border-line bg-sunken p-3 pr-10 font-mono text-xs break-words whitespace-pre-wrap"
      >
        {text}
      </pre>
      <div className="absolute top-1 right-1">
        <CopyButton text={text} label={label} />
      </div>
    </div>
  );
}
