/** What differs between two documents of JSON, by path. */

export interface Difference {
  /** "status", "config.max_steps", "steps[2].tool". */
  path: string;
  /** Undefined: it was not there. */
  before: unknown;
  /** Undefined: it is not there any more. */
  after: unknown;
}

type Document = Record<string, unknown>;

const isDocument = (value: unknown): value is Document =>
  value !== null && typeof value === "object" && !Array.isArray(value);

const isWords = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((word) => typeof word === "string");

/** Whether two values of JSON are the same, whatever the order of their keys. */
export function isSame(one: unknown, other: unknown): boolean {
  if (Array.isArray(one) && Array.isArray(other))
    return one.length === other.length && one.every((value, index) => isSame(value, other[index]));
  if (isDocument(one) && isDocument(other)) {
    const keys = Object.keys(one);
    return (
      keys.length === Object.keys(other).length &&
      keys.every((key) => key in other && isSame(one[key], other[key]))
    );
  }
  return Object.is(one, other);
}

function* found(path: string, before: unknown, after: unknown): Generator<Difference> {
  if (isSame(before, after)) return;
  if (isDocument(before) && isDocument(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)]))
      yield* found(path ? `${path}.${key}` : key, before[key], after[key]);
  } else if (Array.isArray(before) && Array.isArray(after) && !(isWords(before) && isWords(after))) {
    for (let index = 0; index < Math.max(before.length, after.length); ++index)
      yield* found(`${path}[${index}]`, before[index], after[index]);
  } else yield { path, before, after };
}

/** In the order of the fields. Null is a value. Lists of words, where one shifts all others, are given whole. */
export function differences(before: object, after: object): Difference[] {
  return [...found("", before, after)];
}

/** Of two lists of words: what is new and what is gone. Undefined when they are something else. */
export function listChange(
  before: unknown,
  after: unknown,
): { added: string[]; removed: string[] } | undefined {
  if (!isWords(before) || !isWords(after)) return undefined;
  return {
    added: after.filter((word) => !before.includes(word)),
    removed: before.filter((word) => !after.includes(word)),
  };
}

/** How much two texts have alike at both ends, so that of long ones the part that differs can be shown. */
export function alike(before: string, after: string): { start: number; end: number } {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) ++start;
  let end = 0;
  while (end < shorter - start && before[before.length - 1 - end] === after[after.length - 1 - end]) ++end;
  return { start, end };
}
