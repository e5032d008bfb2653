/** Cuts a JSON document into the texts of its parts, so that each goes on exactly as it was written. */

export interface Part {
  text: string;
  /** Where it begins in the whole. */
  at: number;
}

interface Cut {
  parts: Part[];
  /** Behind the closing bracket. */
  end: number;
}

/** To the closing quote, or to the end. */
function skipString(text: string, at: number): number {
  let end = at + 1;
  while (end < text.length && text[end] !== '"') end += text[end] === "\\" ? 2 : 1;
  return end;
}

function trimmed(text: string, from: number, to: number): Part {
  const part = text.slice(from, to);
  return { text: part.trim(), at: from + (part.length - part.trimStart().length) };
}

/**
 * What stands between the commas of the array or object whose bracket is `text[open]`. Only brackets and strings are
 * looked at, so that a bad element leaves the others readable as long as its brackets and quotes pair up. Throws
 * Error when it does not end.
 */
export function cutParts(text: string, open: number): Cut {
  const parts: Part[] = [];
  let depth = 0;
  let begin = open + 1;
  for (let at = open + 1; at < text.length; ++at) {
    const c = text[at];
    if (c === '"') at = skipString(text, at);
    else if (c === "[" || c === "{") ++depth;
    else if (c === "]" || c === "}") {
      if (depth-- > 0) continue;
      const last = trimmed(text, begin, at);
      if (last.text !== "" || parts.length > 0) parts.push(last);
      return { parts, end: at + 1 };
    } else if (c === "," && depth === 0) {
      parts.push(trimmed(text, begin, at));
      begin = at + 1;
    }
  }
  throw new Error("It ends before its last bracket is closed.");
}

/** The members of the object whose bracket is `text[open]`, by name, with their values as they are written. */
export function cutMembers(text: string, open: number): Map<string, Part> {
  const members = new Map<string, Part>();
  for (const part of cutParts(text, open).parts) {
    const key = /^"((?:[^"\\]|\\.)*)"\s*:\s*/.exec(part.text);
    if (!key) continue;
    members.set(JSON.parse(`"${key[1]}"`) as string, {
      text: part.text.slice(key[0].length),
      at: part.at + key[0].length,
    });
  }
  return members;
}

/** Answers the line, from 1, of places that are asked for in rising order. */
export function lineCounter(text: string): (at: number) => number {
  let line = 1;
  let next = text.indexOf("\n");
  return (at) => {
    while (next !== -1 && next < at) {
      ++line;
      next = text.indexOf("\n", next + 1);
    }
    return line;
  };
}
