import { asApiError } from "../../api/problem";

export interface BulkResult {
  done: number;
  failures: { id: string; message: string }[];
}

/** The server answers thousands a second; this leaves it time for others. */
export const atOnceMax = 6;

/** Does the same with many, a few at a time; `onProgress` hears how many have been dealt with. */
export async function forAll(
  ids: readonly string[],
  deed: (id: string) => Promise<void>,
  onProgress: (count: number) => void,
): Promise<BulkResult> {
  const result: BulkResult = { done: 0, failures: [] };
  const left = ids.values();
  const work = async () => {
    for (const id of left) {
      try {
        await deed(id);
        ++result.done;
      } catch (error) {
        result.failures.push({ id, message: asApiError(error).message });
      }
      onProgress(result.done + result.failures.length);
    }
  };
  await Promise.all(Array.from({ length: atOnceMax }, work));
  return result;
}
