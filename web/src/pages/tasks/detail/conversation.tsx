import { formatWords } from "../../../lib/format";
import { CopyButton } from "../../../ui/copy";
import type { Turn } from "./steps";

/** What somebody said, as it stands. Long texts scroll. */
export function Said({ title, text }: { title?: string; text: string }) {
  return (
    <div>
      {title && <div className="mb-1 text-xs font-medium text-muted">{title}</div>}
      <div className="relative">
        <div
          tabIndex={0}
          className="max-h-80 overflow-y-auto rounded-md border border-line bg-sunken py-2 pr-10 pl-3 break-words whitespace-pre-wrap"
        >
          {text}
        </div>
        <div className="absolute top-1 right-1">
          <CopyButton text={text} label="Copy text" />
        </div>
      </div>
    </div>
  );
}

/** A prompt as the messages that it is made of. */
export function Conversation({ turns }: { turns: readonly Turn[] }) {
  return (
    <ol className="flex flex-col gap-3">
      {turns.map((turn, index) => (
        <li key={index}>
          <Said title={formatWords(turn.role)} text={turn.text} />
        </li>
      ))}
    </ol>
  );
}
