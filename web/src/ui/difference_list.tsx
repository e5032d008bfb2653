import { type ReactNode, useState } from "react";
import { cx } from "../lib/classes";
import { alike, type Difference, listChange } from "../lib/differences";
import { formatWords } from "../lib/format";
import { Badge } from "./badge";
import { Button } from "./button";

/** Texts longer than this, and texts of several lines, get a block of their own. */
const shortMax = 60;
/** Letters that stay around what differs. */
const aroundLength = 60;
/** Letters of a value that are shown at first. */
const longLength = 600;

const nameOf = (path: string) => (/[.[]/.test(path) ? path : formatWords(path));

interface DifferenceListProps {
  differences: Difference[];
  /** Said beside the name of a path. */
  mark?: (path: string) => ReactNode;
}

/** What differs, one a line: what it was and what it is. */
export function DifferenceList({ differences, mark }: DifferenceListProps) {
  return (
    <ul aria-label="What is different" className="flex flex-col gap-2">
      {differences.map((each) => (
        <li key={each.path} className="flex min-w-0 flex-wrap items-baseline gap-x-2 gap-y-1">
          <span className="min-w-0 font-medium break-words">{nameOf(each.path)}</span>
          {mark?.(each.path)}
          <Values difference={each} />
        </li>
      ))}
    </ul>
  );
}

function Values({ difference: { before, after } }: { difference: Difference }) {
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
  const areTexts = typeof before === "string" && typeof after === "string";
  const same = areTexts ? alike(before, after) : { start: 0, end: 0 };
  return (
    <div className="flex w-full min-w-0 flex-col gap-1">
      {before !== undefined && <Side sign="−" text={old} same={same} />}
      {after !== undefined && <Side sign="+" text={now} same={same} />}
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
  text: string;
  /** What both sides begin and end with. */
  same: { start: number; end: number };
}

function Side({ sign, text, same }: SideProps) {
  const [isWhole, setWhole] = useState(false);
  const { lead, middle, rest } = cut(text, same.start, same.end);
  const isLong = middle.length > longLength;
  const isAdded = sign === "+";
  const colour = isAdded ? "text-ok" : "text-danger";
  return (
    <div
      className={cx(
        "flex gap-2 rounded-sm px-2 py-1 font-mono text-xs",
        isAdded ? "bg-ok-soft/60" : "bg-danger-soft/60",
      )}
    >
      <span aria-hidden className={cx("select-none", colour)}>
        {sign}
      </span>
      <span className="sr-only">{isAdded ? "now" : "before"}</span>
      <span className="min-w-0 flex-1 break-words whitespace-pre-wrap">
        <span className="text-muted">{lead}</span>
        <span className={lead || rest ? colour : undefined}>
          {isLong && !isWhole ? `${middle.slice(0, longLength)}…` : middle}
        </span>
        <span className="text-muted">{rest}</span>
        {isLong && (
          <Button look="quiet" className="ml-2 h-6 px-2 font-sans" onClick={() => setWhole(!isWhole)}>
            {isWhole ? "Less" : `All ${text.length.toLocaleString("en")} characters`}
          </Button>
        )}
      </span>
    </div>
  );
}
