/** When a key ends: after some days, at a date, or never. */

export const presets = [
  { value: "30", name: "In 30 days" },
  { value: "90", name: "In 90 days" },
  { value: "365", name: "In a year" },
  { value: "date", name: "On a date" },
  { value: "never", name: "Never" },
] as const;

export type Preset = (typeof presets)[number]["value"];

const dayMs = 86_400_000;

/** As the API takes it. `date` is that of a date input, "2026-12-24", and holds to the end of that day here. */
export function expiryOf(preset: Preset, date: string, now: number): string | null {
  if (preset === "never") return null;
  if (preset === "date") return new Date(`${date}T23:59:59`).toISOString();
  return new Date(now + Number(preset) * dayMs).toISOString();
}

/** What is wrong with a date, or true. */
export function validExpiry(preset: Preset, date: string, now: number): true | string {
  if (preset !== "date") return true;
  const end = new Date(`${date}T23:59:59`).getTime();
  if (Number.isNaN(end)) return "Choose a date.";
  return end > now || "Choose a date to come.";
}

/** For the lower bound of a date input: today, in the user's zone. */
export function today(now: number): string {
  const date = new Date(now);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
