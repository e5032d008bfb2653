/** What a model writes while it writes it, from the events `text` of a task's stream. */

export interface Piece {
  answer: number;
  step: number;
  text: string;
}

export interface Words extends Piece {
  /** The connection was lost: what comes next begins with the text so far. */
  isCut: boolean;
}

export const noWords: Words = { answer: 0, step: 0, text: "", isCut: true };

/** The texts of one answer belong together, and another one begins anew. */
export function withPiece(words: Words, piece: Piece): Words {
  const goesOn = !words.isCut && piece.answer === words.answer;
  return { ...piece, text: goesOn ? words.text + piece.text : piece.text, isCut: false };
}

export const asCut = (words: Words): Words => ({ ...words, isCut: true });

/** `progress` of the task is a second old at most, and there without a stream as well. */
export function latestText(words: Words, progress: unknown): string {
  const stored = (progress as { text?: unknown } | null)?.text;
  const known = typeof stored === "string" ? stored : "";
  const isBehind = words.isCut && known.length > words.text.length;
  return isBehind || words.text === "" ? known : words.text;
}
