import { useEffect, useRef, useState } from "react";
import type { Schemas } from "../../api/client";
import { useCan } from "../../api/hooks";
import { formatBytes, formatCount, formatPercent, formatSeconds, formatWords } from "../../lib/format";
import { sampleOf } from "../../lib/prometheus";
import { StateBadge } from "../../ui/badge";
import { Figure, Panel } from "../../ui/page";
import { Loaded, Notice } from "../../ui/states";
import { ConnectionsPanel } from "./connections_panel";
import { LatencyPanel } from "./latency_panel";
import { commitLatency, hitRatios, rateBetween } from "./process_figures";
import { useHealth, useProcessMetrics } from "./use_health";

type Reading = NonNullable<ReturnType<typeof useProcessMetrics>["data"]>;

/** How the process is that answers this page: with all roles in one process, that is all of it. */
export function Health() {
  const health = useHealth();
  const mayReadMetrics = useCan("metrics:read");
  const metrics = useProcessMetrics();
  return (
    <>
      <Loaded query={health} lines={3}>
        {(data) => <Parts health={data} />}
      </Loaded>
      {!mayReadMetrics && (
        <Notice tone="accent">Figures of the process need the permission metrics:read.</Notice>
      )}
      {mayReadMetrics && (
        <Loaded query={metrics} lines={6}>
          {(reading) => (
            <>
              <ProcessFigures reading={reading} />
              <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,2fr)_minmax(0,1fr)]">
                <LatencyPanel families={reading.families} />
                <div className="flex min-w-0 flex-col gap-4">
                  <CachePanel reading={reading} />
                  <ConnectionsPanel />
                </div>
              </div>
            </>
          )}
        </Loaded>
      )}
    </>
  );
}

const aboutBus: Record<string, string> = {
  "in-process": "for this process alone",
  redis: "others' changes by Redis",
  polling: "others' changes by polling",
};

function Parts({ health }: { health: Schemas["Health"] }) {
  const { size, in_use, size_max, waiting } = health.pool;
  return (
    <div className="grid grid-cols-2 gap-3 lg:grid-cols-4">
      <Figure
        name="Process"
        value={<StateBadge state={health.status} className="align-middle" />}
        about={`${health.service}, version ${health.version}`}
      />
      <Figure
        name="Database"
        value={formatWords(health.database)}
        about={health.database === "unreachable" ? "did not answer within 2 s" : "answers"}
      />
      <Figure
        name="Connections to it"
        value={`${in_use} of ${size_max} in use`}
        about={`${size} open, ${waiting === 0 ? "nobody waits" : `${waiting} waiting`}`}
      />
      <Figure name="Cache" value={formatWords(health.cache)} about={aboutBus[health.bus] ?? health.bus} />
    </div>
  );
}

/** The reading before the latest one, for rates. */
function useBefore(reading: Reading): Reading | undefined {
  const [before, setBefore] = useState<Reading>();
  const latest = useRef(reading);
  useEffect(() => {
    if (latest.current === reading) return;
    setBefore(latest.current);
    latest.current = reading;
  }, [reading]);
  return before;
}

function ProcessFigures({ reading }: { reading: Reading }) {
  const before = useBefore(reading);
  const { families } = reading;
  const requests = rateBetween(before, reading, "agent_lightning_http_requests_total");
  const commits = commitLatency(families);
  const failures = sampleOf(families, "agent_lightning_background_failures_total") ?? 0;
  return (
    <div className="grid grid-cols-2 gap-3 lg:grid-cols-4">
      <Figure
        name="Up for"
        value={formatSeconds(sampleOf(families, "agent_lightning_uptime_seconds"))}
        about={failures === 0 ? "no background failure" : `${formatCount(failures)} background failures`}
      />
      <Figure
        name="Memory"
        value={formatBytes(sampleOf(families, "process_resident_memory_bytes"))}
        about="resident"
      />
      <Figure
        name="Requests a second"
        value={requests === null ? "–" : formatCount(Math.round(requests * 10) / 10)}
        about={`${formatCount(sampleOf(families, "agent_lightning_http_connections"))} connections open`}
      />
      <Figure
        name="Writes, 95 of 100 within"
        value={formatSeconds(commits?.p95)}
        about={commits ? `half within ${formatSeconds(commits.p50)}` : "none yet"}
      />
    </div>
  );
}

function CachePanel({ reading: { families } }: { reading: Reading }) {
  const ratios = hitRatios(families);
  const failures = sampleOf(families, "cache_failures_total") ?? 0;
  return (
    <Panel title="Caches" about="found of what was looked for, since the start">
      {ratios.length === 0 && <p className="text-muted">Nothing was looked for yet.</p>}
      <ul className="flex flex-col gap-3">
        {ratios.map(({ cache, ratio }) => (
          <li key={cache} className="flex flex-col gap-1">
            <div className="flex justify-between gap-2">
              <span>{formatWords(cache)}</span>
              <span className="tabular-nums">{formatPercent(ratio * 100)}</span>
            </div>
            <div aria-hidden className="h-1.5 overflow-hidden rounded-sm bg-hover">
              <div className="h-full bg-accent" style={{ width: `${ratio * 100}%` }} />
            </div>
          </li>
        ))}
      </ul>
      {failures > 0 && (
        <p className="mt-3 text-warn">{formatCount(failures)} calls were not answered by Redis.</p>
      )}
    </Panel>
  );
}
