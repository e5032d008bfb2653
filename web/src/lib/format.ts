/** Numbers and times for people. */

const dash = "–";
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const plain = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });
const exact = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });

export function formatCount(value: number | null | undefined): string {
  if (value == null) return dash;
  return Math.abs(value) < 10_000 ? plain.format(value) : compact.format(value);
}

export function formatPercent(value: number | null | undefined): string {
  return value == null ? dash : `${plain.format(Math.round(value * 10) / 10)}%`;
}

export function formatBytes(bytes: number | null | undefined): string {
  if (bytes == null) return dash;
  const units = ["B", "KB", "MB", "GB", "TB"];
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log(bytes) / Math.log(1024)), units.length - 1);
  return `${plain.format(Math.round((bytes / 1024 ** power) * 10) / 10)} ${units[power]}`;
}

/** As people say it: 830 µs, 12 ms, 3.2 s, 4 min, 2 h 5 min, 3 d. */
export function formatSeconds(seconds: number | null | undefined): string {
  if (seconds == null || !Number.isFinite(seconds)) return dash;
  if (seconds === 0) return "0 s";
  if (seconds < 0.001) return `${Math.round(seconds * 1e6)} µs`;
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 86_400) {
    const minutes = Math.round((seconds % 3600) / 60);
    return `${Math.floor(seconds / 3600)} h${minutes ? ` ${minutes} min` : ""}`;
  }
  return `${Math.round(seconds / 86_400)} d`;
}

export function secondsBetween(
  from: string | null | undefined,
  to: string | number | null | undefined,
): number | null {
  if (!from || to == null) return null;
  return (new Date(to).getTime() - new Date(from).getTime()) / 1000;
}

/** "12 s ago", "in 3 min"; `now` in milliseconds. */
export function formatRelative(time: string | number, now: number): string {
  const seconds = (now - new Date(time).getTime()) / 1000;
  if (Math.abs(seconds) < 2) return "just now";
  const rounded = formatSeconds(Math.max(1, Math.floor(Math.abs(seconds))));
  const said = Math.abs(seconds) < 10 ? `${Math.floor(Math.abs(seconds))} s` : rounded;
  return seconds > 0 ? `${said} ago` : `in ${said}`;
}

/** Date and time of day in the reader's zone. */
export function formatExact(time: string | number): string {
  return exact.format(new Date(time));
}

/** What is not written as other words are. */
const spellings: Record<string, string> = {
  ai: "AI",
  api: "API",
  id: "ID",
  postgresql: "PostgreSQL",
  sqlite: "SQLite",
  websocket: "WebSocket",
};

/** "agent-designer", "ai-model" and "task_completed" as words: "Agent designer", "AI model", "Task completed". */
export function formatWords(name: string): string {
  const words = name.replace(/[-_:]/g, " ").replace(/\w+/g, (word) => spellings[word] ?? word);
  return words.charAt(0).toUpperCase() + words.slice(1);
}
