import { useState } from "react";
import { cx } from "../../lib/classes";
import { Badge, type Tone } from "../../ui/badge";
import { Button } from "../../ui/button";
import { alike, type Change } from "./diff";

const tones: Record<Change["kind"], Tone> = { added: "ok", changed: "accent", removed: "danger" };
const names: Record<Change["kind"], string> = { added: "Added", changed: "Changed", removed: "Removed" };

/** Letters that stay around what differs. */
const aroundLength = 60;
/** Lines of a value that are shown at first. */
const longLength = 600;

function written(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}

/** Of a text the part where it differs from the other one, and a little around it. */
function cut(text: string, start: number, end: number) {
  const from = start > aroundLength * 2 ? start - aroundLength : 0;
  const to = end > aroundLength * 2 ? text.length - end + aroundLength : text.length;
  return {
    lead: (from > 0 ? "…" : "") + text.slice(from, start),
    middle: text.slice(start, text.length - end),
    rest: text.slice(text.length - end, to) + (to < text.length ? "…" : ""),
  };
}

interface SideProps {
  sign: "+" | "−";
  value: unknown;
  /** What it was, or became: what differs is marked. */
  other?: unknown;
}

function Side({ sign, value, other }: SideProps) {
  const [isWhole, setWhole] = useState(false);
  const text = written(value);
  const same = typeof value === "string" && typeof other === "string" ? alike(value, other) : undefined;
  const { lead, middle, rest } = cut(text, same?.start ?? 0, same?.end ?? 0);
  const isLong = middle.length > longLength;
  const isAdded = sign === "+";
  return (
    <div
      className={cx(
        "flex gap-2 rounded-sm px-2 py-1 font-mono text-xs",
        isAdded ? "bg-ok-soft/60" : "bg-danger-soft/60",
      )}
    >
      <span aria-hidden className={cx("select-none", isAdded ? "text-ok" : "text-danger")}>
        {sign}
      </span>
      <span className="sr-only">{isAdded ? "Now" : "Before"}: </span>
      <span className="min-w-0 flex-1 break-words whitespace-pre-wrap">
        {same ? <span className="text-muted">{lead}</span> : lead}
        <span className={same && (isAdded ? "text-ok" : "text-danger")}>
          {isLong && !isWhole ? `${middle.slice(0, longLength)}…` : middle}
        </span>
        {same ? <span className="text-muted">{rest}</span> : rest}
        {text === "" && <span className="text-muted">(empty)</span>}
        {isLong && (
          <Button look="quiet" className="ml-2 h-6 px-2 font-sans" onClick={() => setWhole(!isWhole)}>
            {isWhole ? "Less" : `All ${text.length.toLocaleString("en")} characters`}
          </Button>
        )}
      </span>
    </div>
  );
}

/** Fields that differ, each with what it was and what it became. */
export function ChangeList({ changes }: { changes: Change[] }) {
  if (changes.length === 0)
    return (
      <p className="p-4 text-muted">Nothing but the version: this event only says that something happened.</p>
    );
  return (
    <ul aria-label="Changed fields">
      {changes.map(({ path, kind, before, after }) => (
        <li
          key={path}
          className="grid gap-x-4 gap-y-1 border-b border-line/60 px-4 py-2 last:border-0 sm:grid-cols-[minmax(9rem,14rem)_minmax(0,1fr)]"
        >
          <div className="flex items-start justify-between gap-2">
            <code className="min-w-0 font-mono text-xs leading-5 break-all">{path}</code>
            <Badge tone={tones[kind]}>{names[kind]}</Badge>
          </div>
          <div className="flex min-w-0 flex-col gap-1">
            {kind !== "added" && <Side sign="−" value={before} other={after} />}
            {kind !== "removed" && <Side sign="+" value={after} other={before} />}
          </div>
        </li>
      ))}
    </ul>
  );
}
