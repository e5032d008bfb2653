import type { ReactNode } from "react";
import { formatWords } from "../../lib/format";
import { Badge } from "../../ui/badge";
import { type Difference, listChange } from "./differences";

/** Texts longer than this, and texts of several lines, get a block of their own. */
const shortMax = 60;

const nameOf = (path: string) => (path.includes(".") ? path : formatWords(path));

/** What changed, one a line: what it was and what it is. */
export function DifferenceList({
  changes,
  mark,
}: {
  changes: Difference[];
  /** Said beside the name of a path. */
  mark?: (path: string) => ReactNode;
}) {
  return (
    <ul className="flex flex-col gap-2">
      {changes.map((change) => (
        <li key={change.path} className="min-w-0">
          <div className="flex flex-wrap items-baseline gap-x-2 gap-y-1">
            <span className="font-medium">{nameOf(change.path)}</span>
            {mark?.(change.path)}
            <Change change={change} />
          </div>
        </li>
      ))}
    </ul>
  );
}

function Change({ change: { before, after } }: { change: Difference }) {
  const words = listChange(before, after);
  if (words && words.added.length + words.removed.length > 0) return <Words {...words} />;
  const [old, now] = [shown(before), shown(after)];
  if (isShort(old) && isShort(now)) {
    return (
      <span className="font-mono text-xs">
        {before === undefined ? <Unset /> : <del className="text-danger">{old}</del>}
        <span className="text-muted"> → </span>
        {after === undefined ? <Unset /> : <ins className="text-ok no-underline">{now}</ins>}
      </span>
    );
  }
  return (
    <div className="w-full overflow-x-auto rounded-md border border-line bg-sunken font-mono text-xs break-words whitespace-pre-wrap">
      {before !== undefined && <Block sign="−" text={old} className="bg-danger-soft text-danger" />}
      {after !== undefined && <Block sign="+" text={now} className="bg-ok-soft text-ok" />}
    </div>
  );
}

function Words({ added, removed }: { added: string[]; removed: string[] }) {
  return (
    <span className="inline-flex flex-wrap gap-1 align-middle">
      {removed.map((word) => (
        <Badge key={`-${word}`} tone="danger">
          <span className="sr-only">removed</span>
          <span aria-hidden>−</span> <del className="no-underline">{word}</del>
        </Badge>
      ))}
      {added.map((word) => (
        <Badge key={`+${word}`} tone="ok">
          <span className="sr-only">added</span>
          <span aria-hidden>+</span> <ins className="no-underline">{word}</ins>
        </Badge>
      ))}
    </span>
  );
}

function shown(value: unknown): string {
  if (typeof value === "string") return value === "" ? "empty" : value;
  return JSON.stringify(value, null, Array.isArray(value) ? undefined : 2) ?? "";
}

const isShort = (text: string) => text.length <= shortMax && !text.includes("\n");

const Unset = () => <span className="text-muted">not set</span>;

function Block({ sign, text, className }: { sign: string; text: string; className: string }) {
  return (
    <div className={`flex gap-2 px-2 py-1 ${className}`}>
      <span aria-hidden>{sign}</span>
      <span className="sr-only">{sign === "+" ? "now" : "before"}</span>
      <span className="min-w-0 flex-1">{text}</span>
    </div>
  );
}
