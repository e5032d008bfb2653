/** Recorded metrics over the window of the page. */
import { useMemo } from "react";
import { type Asked, type Bucket, useBuckets } from "../../api/metrics";
import { fillBuckets, type TimeWindow } from "../../lib/time_range";
import { depths } from "./outcome";

interface AskedOver extends Asked {
  window: TimeWindow;
}

export interface SeriesRead<M extends number | null> {
  /** One a bucket; undefined until they are there. */
  values: (number | M)[] | undefined;
  error: unknown;
}

/** `value` and `missing` must stay the same. */
export function useSeries<M extends number | null>(
  { window, ...asked }: AskedOver,
  value: (bucket: Bucket) => number | M,
  missing: M,
): SeriesRead<M> {
  const { data, error } = useBuckets(asked, window);
  return useMemo(
    () => ({ values: data && fillBuckets(data.buckets, window, value, missing), error }),
    [data, error, window, value, missing],
  );
}

/** The whole window as one bucket; null when nothing was measured, undefined until that is known. */
export function useWhole({ window: { from, to }, ...asked }: AskedOver): Bucket | null | undefined {
  const { data } = useBuckets(asked, { from, to, step: to - from });
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

const maxOf = (bucket: Bucket) => bucket.max;
const lastOf = (bucket: Bucket) => bucket.last;
