/** The charts of what the process says of itself, and how their values come from two readings of `/metrics`. */

import { formatBytes, formatCount, formatSeconds } from "../../lib/format";
import { type Family, type Histogram, histogramsOf, quantileOf } from "../../lib/prometheus";
import { type Format, formatRate, formatRatio } from "./units";

export type Families = Map<string, Family>;

/** One reading; `at` in seconds since 1970. */
export interface Reading {
  at: number;
  families: Families;
}

export type Values = Record<string, number | null>;

/** Line to value; null where two readings are needed, or nothing happened between them. */
type Derive = (now: Reading, before: Reading | undefined) => Values;

export interface ProcessChart {
  title: string;
  format: Format;
  /** The chart is there when the process has this family. */
  family: string;
  derive: Derive;
}

type Named = { by: string } | { line: string };

/** Sums of a family: by the values of a label, or all in one. */
function sums(families: Families, family: string, named: Named): Record<string, number> {
  const totals: Record<string, number> = {};
  for (const { labels, value } of families.get(family)?.samples ?? []) {
    const line = "line" in named ? named.line : (labels[named.by] ?? "");
    totals[line] = (totals[line] ?? 0) + value;
  }
  return totals;
}

/** What a counter grew by. One that is less than before began anew, with the process. */
const growth = (now: number, before: number) => (now < before ? now : now - before);

function levels(family: string, named: Named): Derive {
  return ({ families }) => sums(families, family, named);
}

function rates(family: string, named: Named): Derive {
  return (now, before) => {
    const counts = Object.entries(sums(now.families, family, named));
    if (!before) return Object.fromEntries(counts.map(([line]) => [line, null]));
    const counted = sums(before.families, family, named);
    const seconds = Math.max(now.at - before.at, 1e-3);
    return Object.fromEntries(
      counts.map(([line, count]) => [line, growth(count, counted[line] ?? 0) / seconds]),
    );
  };
}

/** All histograms of a family as one, without what was counted before. */
function merged(now: Families, before: Families, family: string): Histogram {
  const counts = new Map<number, number>();
  const beforeByLabels = new Map(
    histogramsOf(before.get(family)).map((each) => [JSON.stringify(each.labels), each]),
  );
  for (const { labels, count, buckets } of histogramsOf(now.get(family))) {
    const old = beforeByLabels.get(JSON.stringify(labels));
    const isContinued = old !== undefined && old.count <= count;
    buckets.forEach((bucket, index) => {
      const counted = isContinued ? (old.buckets[index]?.count ?? 0) : 0;
      counts.set(bucket.bound, (counts.get(bucket.bound) ?? 0) + bucket.count - counted);
    });
  }
  const buckets = [...counts].map(([bound, count]) => ({ bound, count })).sort((a, b) => a.bound - b.bound);
  return { labels: {}, count: buckets.at(-1)?.count ?? 0, sum: 0, buckets };
}

/** Of what came between the two readings. */
function quantiles(family: string): Derive {
  return (now, before) => {
    if (!before) return { p50: null, p95: null };
    const between = merged(now.families, before.families, family);
    return { p50: quantileOf(between, 0.5), p95: quantileOf(between, 0.95) };
  };
}

/** Several families in one chart. */
function together(...derives: Derive[]): Derive {
  return (now, before) => Object.assign({}, ...derives.map((derive) => derive(now, before)));
}

const chart = (title: string, family: string, format: Format, derive: Derive): ProcessChart => ({
  title,
  family,
  format,
  derive,
});

const own = "agent_lightning";

export const processGroups: { name: string; charts: ProcessChart[] }[] = [
  {
    name: "HTTP",
    charts: [
      chart(
        "Requests",
        `${own}_http_requests_total`,
        formatRate,
        rates(`${own}_http_requests_total`, { line: "Requests" }),
      ),
      chart(
        "Open connections",
        `${own}_http_connections`,
        formatCount,
        together(
          levels(`${own}_http_connections`, { line: "HTTP" }),
          levels(`${own}_websocket_connections`, { line: "WebSocket" }),
        ),
      ),
      chart(
        "Messages to WebSockets",
        `${own}_websocket_messages_sent_total`,
        formatRate,
        rates(`${own}_websocket_messages_sent_total`, { line: "Messages" }),
      ),
    ],
  },
  {
    name: "Gateway",
    charts: [
      chart(
        "Answers by class",
        "gateway_requests_total",
        formatRate,
        rates("gateway_requests_total", { by: "class" }),
      ),
      chart(
        "Calls by service",
        "gateway_requests_total",
        formatRate,
        rates("gateway_requests_total", { by: "service" }),
      ),
      chart(
        "Retried and refused",
        "gateway_retries_total",
        formatRate,
        together(
          rates("gateway_retries_total", { line: "Retried" }),
          rates("gateway_limited_total", { line: "Over the limit" }),
        ),
      ),
    ],
  },
  {
    name: "Database",
    charts: [
      chart(
        "Latency of statements",
        "service_data_latency_seconds",
        formatSeconds,
        quantiles("service_data_latency_seconds"),
      ),
      chart(
        "Latency of writes",
        "transaction_duration_seconds",
        formatSeconds,
        quantiles("transaction_duration_seconds"),
      ),
      chart(
        "Connections",
        `${own}_database_connections`,
        formatCount,
        together(
          levels(`${own}_database_connections`, { by: "state" }),
          levels(`${own}_database_waiting`, { line: "waiting callers" }),
        ),
      ),
    ],
  },
  {
    name: "Cache",
    charts: [
      chart(
        "Found, since the start",
        "cache_hit_ratio",
        formatRatio,
        levels("cache_hit_ratio", { by: "cache" }),
      ),
      chart(
        "Calls that failed",
        "cache_failures_total",
        formatRate,
        rates("cache_failures_total", { line: "Failures" }),
      ),
    ],
  },
  {
    name: "Events",
    charts: [
      chart(
        "Published",
        "events_published_total",
        formatRate,
        rates("events_published_total", { by: "channel" }),
      ),
      chart(
        "Failed to handle",
        "events_failed_total",
        formatRate,
        rates("events_failed_total", { by: "consumer" }),
      ),
    ],
  },
  {
    name: "Models",
    charts: [
      chart(
        "Calls by answer",
        `${own}_model_calls_total`,
        formatRate,
        rates(`${own}_model_calls_total`, { by: "status" }),
      ),
      chart(
        "Tokens",
        `${own}_model_tokens_total`,
        formatRate,
        rates(`${own}_model_tokens_total`, { by: "direction" }),
      ),
      chart(
        "Time to the first byte",
        `${own}_model_first_byte_seconds`,
        formatSeconds,
        quantiles(`${own}_model_first_byte_seconds`),
      ),
    ],
  },
  {
    name: "Process",
    charts: [
      chart(
        "Memory",
        "process_resident_memory_bytes",
        formatBytes,
        levels("process_resident_memory_bytes", { line: "Resident" }),
      ),
      chart(
        "Background tasks that ended in an exception",
        `${own}_background_failures_total`,
        formatCount,
        levels(`${own}_background_failures_total`, { line: "Since the start" }),
      ),
    ],
  },
];

export const processCharts = processGroups.flatMap((group) => group.charts);
