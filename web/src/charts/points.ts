/** What is drawn and written beside the lines of a chart. */

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const clockWithSeconds = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const moment = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});

/** A time on the axis, `step` seconds from the next: only as much of it as tells it from them. */
export function formatTick(seconds: number, step: number): string {
  const date = new Date(seconds * 1000);
  if (step < 60) return clockWithSeconds.format(date);
  const isMidnight = date.getHours() === 0 && date.getMinutes() === 0;
  return step >= 86_400 || isMidnight ? day.format(date) : clock.format(date);
}

export function formatTime(seconds: number): string {
  return moment.format(new Date(seconds * 1000));
}

/** Of what is counted there are no halves, and none on the axis. */
export const areWhole = (values: readonly (number | null)[]) =>
  values.every((value) => value === null || Number.isInteger(value));

/** From one line of the axis to the next, for what is counted: 1, 2, 5, 10, 20, ... */
export const wholeSteps = Array.from({ length: 13 }, (_, power) =>
  [1, 2, 5].map((digit) => digit * 10 ** power),
).flat();

/** Where a value has none beside it, so that no line would show it. */
export function isolated(values: ArrayLike<number | null | undefined>): number[] {
  const indices: number[] = [];
  for (let index = 0; index < values.length; ++index)
    if (values[index] != null && values[index - 1] == null && values[index + 1] == null) indices.push(index);
  return indices;
}
