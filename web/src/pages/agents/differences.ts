/** What changed between two documents, by path: for the history of an agent, and for two who edit it at once. */

export interface Difference {
  /** "name", "config.max_steps". */
  path: string;
  /** Undefined: it was not there. */
  before: unknown;
  /** Undefined: it is not there any more. */
  after: unknown;
}

type Document = Record<string, unknown>;

const isDocument = (value: unknown): value is Document =>
  value !== null && typeof value === "object" && !Array.isArray(value);

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

/** Goes into objects and not into lists, which read better whole. */
export function differences(before: Document, after: Document, prefix = ""): Difference[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].flatMap((key) => {
    const [old, now] = [before[key], after[key]];
    const path = prefix + key;
    if (isSame(old, now)) return [];
    if (isDocument(old) && isDocument(now)) return differences(old, now, `${path}.`);
    return [{ path, before: old, after: now }];
  });
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

function isWords(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((word) => typeof word === "string");
}
