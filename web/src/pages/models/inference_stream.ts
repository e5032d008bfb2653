/** The lines of an answer of POST /inference while it is written. */
import { ApiError } from "../../api/problem";

export type AnswerLine =
  | { type: "stream_chunk"; content: string; model_id: string }
  | { type: "stream_end"; model_id: string; tokens_used: number };

interface ErrorLine {
  type: "error";
  error: ConstructorParameters<typeof ApiError>[1] & { status: number };
}

/** Takes text in any pieces and gives the lines that are whole. Throws ApiError for a line that says what failed. */
export function createLineParser(): (text: string) => AnswerLine[] {
  let rest = "";
  return (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    const found: AnswerLine[] = [];
    for (const line of lines) {
      // Silence is filled with empty lines, so that nothing on the way gives up.
      if (line.trim() === "") continue;
      const value = JSON.parse(line) as AnswerLine | ErrorLine;
      if (value.type === "error") throw new ApiError(value.error.status, value.error);
      found.push(value);
    }
    return found;
  };
}

/** Reads `body` to its end. Throws ApiError also when it ends before the answer does. */
export async function readAnswer(
  body: ReadableStream<Uint8Array>,
  onLine: (line: AnswerLine) => void,
): Promise<void> {
  const parse = createLineParser();
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let hasEnded = false;
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    for (const line of parse(decoder.decode(value, { stream: true }))) {
      hasEnded ||= line.type === "stream_end";
      onLine(line);
    }
  }
  if (!hasEnded) throw new ApiError(0, { detail: "The answer was cut off before its end. Ask again." });
}
