/** Recorded metrics over the window of the page. */
import { useMemo } from "react";
import { $api, type Schemas } from "../../api/client";
import { fillBuckets, type TimeWindow, windowQuery } from "../../lib/time_range";
import { depths } from "./outcome";

/** No event tells of metrics. */
const refreshMs = 10_000;
/** A window that has passed is not asked for again. */
const keepMs = 60_000;

export type Bucket = Schemas["MetricBucket"];

interface Asked {
  name: string;
  tags?: string;
  window: TimeWindow;
}

function useBuckets({ name, tags, window }: Asked) {
  return $api.useQuery(
    "get",
    "/api/v1/metrics/series",
    { params: { query: { name, tags, ...windowQuery(window) } } },
    {
      refetchInterval: refreshMs,
      gcTime: keepMs,
      // Until the next window is there the last one is shown, but never in buckets of another length.
      placeholderData: (last) => (last?.step === window.step ? last : undefined),
    },
  );
}

export interface SeriesRead<M extends number | null> {
  /** One a bucket; undefined until they are there. */
  values: (number | M)[] | undefined;
  error: unknown;
}

/** `value` and `missing` must stay the same. */
export function useSeries<M extends number | null>(
  asked: Asked,
  value: (bucket: Bucket) => number | M,
  missing: M,
): SeriesRead<M> {
  const { data, error } = useBuckets(asked);
  const { window } = asked;
  return useMemo(
    () => ({ values: data && fillBuckets(data.buckets, window, value, missing), error }),
    [data, error, window, value, missing],
  );
}

/** The whole window as one bucket; null when nothing was measured, undefined until that is known. */
export function useWhole({ name, tags, window }: Asked): Bucket | null | undefined {
  const { from, to } = window;
  const { data } = useBuckets({ name, tags, window: { from, to, step: to - from } });
  return data && (data.buckets[0] ?? null);
}

/** The depth of a queue. */
export function useDepths(name: string, window: TimeWindow): SeriesRead<null> {
  const { values: greatest, error } = useSeries({ name, window }, maxOf, null);
  const { values: latest } = useSeries({ name, window }, lastOf, null);
  return useMemo(
    () => ({ values: greatest && latest && depths(greatest, latest), error }),
    [greatest, latest, error],
  );
}

export const countOf = (bucket: Bucket) => bucket.count;
export const sumOf = (bucket: Bucket) => bucket.sum;
export const p50Of = (bucket: Bucket) => bucket.p50;
export const p95Of = (bucket: Bucket) => bucket.p95;
const maxOf = (bucket: Bucket) => bucket.max;
const lastOf = (bucket: Bucket) => bucket.last;
