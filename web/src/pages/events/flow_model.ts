/** Publishers, channels and consumers, and how much goes between them. */
import type { Schemas } from "../../api/client";
import { matchesPattern } from "./filter";

export type Flow = Schemas["FlowReport"];

export interface FlowNode {
  id: string;
  role: "publisher" | "channel" | "consumer";
  name: string;
  /** Events a second. */
  rate: number;
}

export interface FlowLine {
  from: string;
  to: string;
  rate: number;
}

export interface FlowPicture {
  nodes: FlowNode[];
  lines: FlowLine[];
}

/** More cannot be told apart in a picture; those with the least are drawn as one. */
const channelsMax = 18;
const others = "others";

function sumBy<T>(items: readonly T[], key: (item: T) => string, amount: (item: T) => number) {
  const sums = new Map<string, number>();
  for (const item of items) sums.set(key(item), (sums.get(key(item)) ?? 0) + amount(item));
  return sums;
}

const bySize = (sums: Map<string, number>) =>
  [...sums].sort(([a, one], [b, other]) => other - one || a.localeCompare(b));

export function pictureOf({ from, to, flows, consumers }: Flow): FlowPicture {
  const seconds = Math.max((Date.parse(to) - Date.parse(from)) / 1000, 1);
  const countOf = (flow: { count: number }) => flow.count / seconds;
  const ranked = bySize(sumBy(flows, (flow) => flow.channel, countOf));
  const isCrowded = ranked.length > channelsMax;
  const shown = new Set(
    ranked.slice(0, isCrowded ? channelsMax - 1 : channelsMax).map(([channel]) => channel),
  );
  const drawn = flows.map((flow) => ({ ...flow, drawnAs: shown.has(flow.channel) ? flow.channel : others }));
  const reached = (name: string, patterns: readonly string[]) =>
    sumBy(
      drawn.filter((flow) => patterns.some((pattern) => matchesPattern(pattern, flow.channel))),
      (flow) => JSON.stringify([`channel ${flow.drawnAs}`, `consumer ${name}`]),
      countOf,
    );
  const published = sumBy(
    drawn,
    (flow) => JSON.stringify([`publisher ${flow.service}`, `channel ${flow.drawnAs}`]),
    countOf,
  );
  const lines = [...published, ...consumers.flatMap(({ name, channels }) => [...reached(name, channels)])];
  const nodesOf = (role: FlowNode["role"], sums: Map<string, number>): FlowNode[] =>
    bySize(sums).map(([name, rate]) => ({ id: `${role} ${name}`, role, name, rate }));
  return {
    nodes: [
      ...nodesOf(
        "publisher",
        sumBy(flows, (flow) => flow.service, countOf),
      ),
      ...nodesOf(
        "channel",
        sumBy(drawn, (flow) => flow.drawnAs, countOf),
      ).map((node) =>
        node.name === others ? { ...node, name: `${ranked.length - shown.size} other channels` } : node,
      ),
      ...consumers.map(({ name, channels }): FlowNode => {
        const rate = [...reached(name, channels).values()].reduce((sum, each) => sum + each, 0);
        return { id: `consumer ${name}`, role: "consumer", name, rate };
      }),
    ],
    lines: lines.map(([ends, rate]) => {
      const [start, end] = JSON.parse(ends) as [string, string];
      return { from: start, to: end, rate };
    }),
  };
}

/** A line's width: that of the strongest is the widest, and the weakest one is still seen. */
export const lineWidthPx = (rate: number, rateMax: number) =>
  1.25 + 6 * Math.sqrt(rateMax > 0 ? rate / rateMax : 0);

/** "12/s", "3/min", "2/h". */
export function formatRate(perSecond: number): string {
  const shown = (value: number) => (value < 10 ? Math.round(value * 10) / 10 : Math.round(value)).toString();
  if (perSecond === 0) return "0/s";
  if (perSecond >= 1) return `${shown(perSecond)}/s`;
  if (perSecond >= 1 / 60) return `${shown(perSecond * 60)}/min`;
  return `${shown(perSecond * 3600)}/h`;
}

/** An idle group stores its place once a minute: a few events behind are none. */
const lagMin = 1000;

/** Whether somebody should look at it. */
export function trouble({ lag, waiting, parked }: Flow["consumers"][number]): "danger" | "warn" | undefined {
  if (parked > 0) return "danger";
  return lag >= lagMin || waiting > 0 ? "warn" : undefined;
}
