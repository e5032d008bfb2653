/** Stretches of time that charts show, in buckets that begin at round times, so that asking again asks for the same. */
import { useEffect, useState } from "react";

export const rangeNames = ["15m", "1h", "6h", "24h", "7d"] as const;
export type RangeName = (typeof rangeNames)[number];

interface Range {
  /** "Last …" */
  said: string;
  seconds: number;
  /** Of a bucket; about sixty of them make up the range. */
  step: number;
}

export const ranges: Record<RangeName, Range> = {
  "15m": { said: "15 minutes", seconds: 900, step: 15 },
  "1h": { said: "hour", seconds: 3600, step: 60 },
  "6h": { said: "6 hours", seconds: 21_600, step: 300 },
  "24h": { said: "24 hours", seconds: 86_400, step: 1800 },
  "7d": { said: "7 days", seconds: 604_800, step: 10_800 },
};

/** Of the address; undefined for what is none. */
export function asRangeName(value: unknown): RangeName | undefined {
  return rangeNames.find((name) => name === value);
}

/** Seconds since 1970; `to` is the end of the bucket that is being filled. */
export interface TimeWindow {
  from: number;
  to: number;
  step: number;
}

export function windowAt(nowSeconds: number, seconds: number, step: number): TimeWindow {
  const to = (Math.floor(nowSeconds / step) + 1) * step;
  const count = Math.ceil(seconds / step);
  return { from: to - count * step, to, step };
}

/** The window that ends now; it moves on by a bucket at a time. */
export function useTimeWindow(seconds: number, step: number): TimeWindow {
  const [window, setWindow] = useState(() => windowAt(Date.now() / 1000, seconds, step));
  useEffect(() => {
    let timer: number;
    const follow = () => {
      const next = windowAt(Date.now() / 1000, seconds, step);
      setWindow((last) => (last.to === next.to && last.from === next.from ? last : next));
      timer = self.setTimeout(follow, next.to * 1000 - Date.now() + 50);
    };
    follow();
    return () => clearTimeout(timer);
  }, [seconds, step]);
  return window;
}

/** What `GET /metrics/series` wants to know of a window. */
export function windowQuery({ from, to, step }: TimeWindow) {
  const iso = (seconds: number) => new Date(seconds * 1000).toISOString();
  return { from: iso(from), to: iso(to), step };
}

/** The begin of each bucket. */
export function bucketTimes({ from, to, step }: TimeWindow): number[] {
  return Array.from({ length: Math.round((to - from) / step) }, (_, index) => from + index * step);
}

/**
 * One value a bucket of `window`. `missing` stands where nothing was measured: 0 for counts and sums, null for what has
 * no value then.
 */
export function fillBuckets<B extends { start: string }, M extends number | null>(
  buckets: readonly B[],
  window: TimeWindow,
  value: (bucket: B) => number | M,
  missing: M,
): (number | M)[] {
  const filled: (number | M)[] = bucketTimes(window).map(() => missing);
  for (const bucket of buckets) {
    const index = Math.round((Date.parse(bucket.start) / 1000 - window.from) / window.step);
    if (index >= 0 && index < filled.length) filled[index] = value(bucket);
  }
  return filled;
}
