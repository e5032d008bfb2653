/** What the figures of the overview say of numbers. */

/** Completed of those that ended by themselves, in percent; null: none has. */
export function successRate(completed: number, failed: number): number | null {
  return completed + failed > 0 ? (completed / (completed + failed)) * 100 : null;
}

/** 99.97 is not 100: a rate is never rounded up to "all". */
export function asPercent(rate: number | null): number | null {
  if (rate === null || rate === 100) return rate;
  return Math.floor(rate * 10) / 10;
}

/** "3.2 a minute": how often something happened, in the unit that gives a number one can picture. */
export function perTime(count: number, seconds: number): string {
  const units: [name: string, seconds: number][] = [
    ["a second", 1],
    ["a minute", 60],
    ["an hour", 3600],
    ["a day", 86_400],
  ];
  const rate = (unit: number) => (count / seconds) * unit;
  const [name, unit] = units.find(([, each]) => rate(each) >= 1) ?? (["a day", 86_400] as const);
  return `${rate(unit) >= 10 ? Math.round(rate(unit)) : Math.round(rate(unit) * 10) / 10} ${name}`;
}

/** For a line without breaks: where nothing was measured the last value still holds. */
export function holdLast(values: readonly (number | null)[]): number[] {
  let last = values.find((value) => value !== null) ?? 0;
  return values.map((value) => {
    last = value ?? last;
    return last;
  });
}

/** Buckets for which a depth is taken to be what it was, when nothing was recorded. */
const heldMax = 3;

/**
 * The greatest depth of each bucket. A queue is measured every few seconds while it is not empty, and once more when it
 * is: so after 0 it is empty, and after another value it is that, until too much time has passed to know.
 */
export function depths(
  greatest: readonly (number | null)[],
  latest: readonly (number | null)[],
): (number | null)[] {
  let last = 0;
  let held = 0;
  return greatest.map((value, index) => {
    if (value !== null) {
      last = latest[index] ?? value;
      held = 0;
      return value;
    }
    held += 1;
    return last === 0 || held <= heldMax ? last : null;
  });
}
