/** What differs between two states of a thing, field by field. */

export interface Change {
  /** "status", "config.temperature", "tags[2]". */
  path: string;
  kind: "added" | "changed" | "removed";
  before?: unknown;
  after?: unknown;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const memberPath = (path: string, name: string) => (path ? `${path}.${name}` : name);

function* changes(path: string, before: unknown, after: unknown): Generator<Change> {
  if (Object.is(before, after)) return;
  if (before === undefined) yield { path, kind: "added", after };
  else if (after === undefined) yield { path, kind: "removed", before };
  else if (isObject(before) && isObject(after)) {
    for (const name of new Set([...Object.keys(before), ...Object.keys(after)]))
      yield* changes(memberPath(path, name), before[name], after[name]);
  } else if (Array.isArray(before) && Array.isArray(after)) {
    for (let index = 0; index < Math.max(before.length, after.length); ++index)
      yield* changes(`${path}[${index}]`, before[index], after[index]);
  } else yield { path, kind: "changed", before, after };
}

/** In the order of the fields. Null is a value: a field that becomes null has changed. */
export function diff(before: object, after: object): Change[] {
  return [...changes("", before, after)];
}

/** Where two texts part, so that of long ones the part that differs is shown: how much they have alike at both ends. */
export function alike(before: string, after: string): { start: number; end: number } {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) ++start;
  let end = 0;
  while (end < shorter - start && before[before.length - 1 - end] === after[after.length - 1 - end]) ++end;
  return { start, end };
}
