/** Calls until an answer is 0, `callsMax` times at most; the sum of the answers. */
export async function untilNone(callsMax: number, call: () => Promise<number>): Promise<number> {
  let total = 0;
  for (let calls = 0; calls < callsMax; ++calls) {
    const count = await call();
    if (count === 0) break;
    total += count;
  }
  return total;
}
