/** Which events are shown. */
import type { LiveEvent } from "../../api/live";
import { agentOf } from "./event";

export interface EventFilter {
  /** As the API takes them; none: all. */
  channels: readonly string[];
  agent?: string;
  /** What one request or task has caused. */
  correlation?: string;
  /** Any text of the event, in any case of letters. */
  text?: string;
}

/** "task, agent.created" to ["task:*", "agent:created"]: as the API takes patterns, and as people write them. */
export function readPatterns(text: string | undefined): string[] {
  const patterns = (text ?? "")
    .split(",")
    .map((part) => part.trim().toLowerCase().replace(".", ":"))
    .filter(Boolean)
    .map((part) => (part === "*" || part.includes(":") ? part : `${part}:*`));
  return [...new Set(patterns)];
}

export function matchesPattern(pattern: string, channel: string): boolean {
  return pattern.endsWith("*") ? channel.startsWith(pattern.slice(0, -1)) : pattern === channel;
}

// Read once an event, and forgotten with it.
const words = new WeakMap<LiveEvent, string>();

function wordsOf(event: LiveEvent): string {
  const known = words.get(event);
  if (known !== undefined) return known;
  const read = JSON.stringify(event).toLowerCase();
  words.set(event, read);
  return read;
}

export const isFiltered = ({ channels, agent, correlation, text }: EventFilter): boolean =>
  channels.length > 0 || Boolean(agent || correlation || text);

export function matches(event: LiveEvent, { channels, agent, correlation, text }: EventFilter): boolean {
  if (channels.length > 0 && !channels.some((pattern) => matchesPattern(pattern, event.channel)))
    return false;
  if (agent && agentOf(event) !== agent) return false;
  if (correlation && event.metadata.correlation_id !== correlation) return false;
  return !text || wordsOf(event).includes(text.toLowerCase());
}
