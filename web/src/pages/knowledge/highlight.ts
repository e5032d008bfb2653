/** Which words of a text a question asked for: the search compares stems, so inflected forms count as well. */

export interface Segment {
  text: string;
  isHit: boolean;
}

const stopWords = new Set(
  (
    "a an and are as at be by can do does for from had has have how i in is it its me my no not of on or our should so " +
    "than that the their them then there these they this to was we were what when where which who why will with you your"
  ).split(" "),
);

const endings = [
  "ations",
  "ation",
  "ings",
  "ing",
  "ions",
  "ion",
  "ers",
  "er",
  "ied",
  "ies",
  "ed",
  "es",
  "s",
  "e",
  "y",
];
const stemMin = 3;

/** A word without its ending. Rough on purpose: it marks words for the eye and decides nothing. */
export function stemOf(word: string): string {
  const lower = word.toLowerCase();
  const ending = endings.find((each) => lower.endsWith(each) && lower.length - each.length >= stemMin);
  return ending ? lower.slice(0, -ending.length) : lower;
}

const words = /[\p{L}\p{N}]+/gu;

function stemsOf(question: string): Set<string> {
  const found = question.match(words) ?? [];
  return new Set(found.filter((word) => !stopWords.has(word.toLowerCase())).map(stemOf));
}

const leadMax = 120;

/** The part of a passage that a few lines can show: from the sentence of the first marked word on. */
export function excerptFrom(segments: readonly Segment[]): Segment[] {
  const first = segments.findIndex((segment) => segment.isHit);
  const lead = segments
    .slice(0, Math.max(first, 0))
    .map((segment) => segment.text)
    .join("");
  if (lead.length <= leadMax) return [...segments];
  const sentence = Math.max(lead.lastIndexOf(". "), lead.lastIndexOf("\n")) + 1;
  const begin = lead.length - sentence <= leadMax ? sentence : lead.length - leadMax;
  return [{ text: `… ${lead.slice(begin).trimStart()}`, isHit: false }, ...segments.slice(first)];
}

/** `text` in pieces, those marked that a word of `question` stands behind. Joined they are the text again. */
export function highlight(text: string, question: string): Segment[] {
  const stems = stemsOf(question);
  const segments: Segment[] = [];
  let end = 0;
  for (const match of text.matchAll(words)) {
    if (!stems.has(stemOf(match[0]))) continue;
    if (match.index > end) segments.push({ text: text.slice(end, match.index), isHit: false });
    segments.push({ text: match[0], isHit: true });
    end = match.index + match[0].length;
  }
  if (end < text.length) segments.push({ text: text.slice(end), isHit: false });
  return segments;
}
