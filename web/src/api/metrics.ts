/** Recorded metrics, in buckets. No event tells of them. */
import { useQuery } from "@tanstack/react-query";
import { type TimeWindow, windowQuery } from "../lib/time_range";
import { $api, type Schemas } from "./client";

const refreshMs = 10_000;
/** A window that has passed is not asked for again. */
const keepMs = 60_000;

export type Bucket = Schemas["MetricBucket"];

export interface Asked {
  name: string;
  service?: string;
  /** "agent_id:writer,status:completed". */
  tags?: string;
}

type Series = Asked & { step?: number };

const isSameSeries = (one: Series, other: Series) =>
  one.name === other.name &&
  one.service === other.service &&
  one.tags === other.tags &&
  one.step === other.step;

/** For `useQueries`, where several belong together. */
export function bucketsOptions({ name, service, tags }: Asked, window: TimeWindow) {
  const asked = { name, service, tags, ...windowQuery(window) };
  return $api.queryOptions(
    "get",
    "/api/v1/metrics/series",
    { params: { query: asked } },
    {
      refetchInterval: refreshMs,
      gcTime: keepMs,
      // While the window moves on the last one is shown; never another metric, nor buckets of another length.
      placeholderData: (last, before) =>
        before && isSameSeries(before.queryKey[2].params.query, asked) ? last : undefined,
    },
  );
}

export const useBuckets = (asked: Asked, window: TimeWindow) => useQuery(bucketsOptions(asked, window));

export const countOf = (bucket: Bucket) => bucket.count;
export const sumOf = (bucket: Bucket) => bucket.sum;
export const p50Of = (bucket: Bucket) => bucket.p50;
export const p95Of = (bucket: Bucket) => bucket.p95;
