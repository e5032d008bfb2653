/** All versions of one aggregate, as they were read and as they come. */
import type { LiveEvent } from "../../api/live";
import { kindOf } from "./event";

/** By version, each once. */
export function mergeVersions(read: readonly LiveEvent[], come: readonly LiveEvent[]): LiveEvent[] {
  const byVersion = new Map<number, LiveEvent>();
  for (const event of [...read, ...come]) byVersion.set(event.version, event);
  return [...byVersion.values()].sort((a, b) => a.version - b.version);
}

export const isOf = (event: LiveEvent, kind: string, aggregateId: string) =>
  event.aggregate_id === aggregateId && kindOf(event.channel) === kind;

/** The place of `version`; without one that of the latest, and of one that is not there that of the next later. */
export function placeOf(versions: readonly LiveEvent[], version: number | undefined): number {
  const last = versions.length - 1;
  if (version === undefined) return last;
  const place = versions.findIndex((event) => event.version >= version);
  return place === -1 ? last : place;
}
