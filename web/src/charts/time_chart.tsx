import { useEffect, useMemo, useRef } from "react";
import uPlot from "uplot";
import { useTheme } from "../lib/theme";
import { areWhole, formatTick, formatTime, isolated, wholeSteps } from "./points";

export interface Series {
  name: string;
  /** A colour of the design language: "accent", "ok", "warn", "danger", "run", "muted". */
  colour: string;
  /** One value a time; null where there is none. */
  values: (number | null)[];
  isFilled?: boolean;
  isBars?: boolean;
}

interface TimeChartProps {
  /** What is shown, for those who cannot see it. */
  label: string;
  /** Seconds since 1970, rising. */
  times: number[];
  series: Series[];
  format: (value: number | null) => string;
  heightPx?: number;
  /** Seconds: the ends of the axis, also where there are no values. */
  range?: [from: number, to: number];
}

const axisFont = '11px "Inter Variable", sans-serif';

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function seriesOptions(
  { name, colour: colourName, isFilled, isBars }: Series,
  format: TimeChartProps["format"],
): uPlot.Series {
  const stroke = colour(colourName);
  return {
    label: name,
    stroke,
    // A bar without height has no line either.
    width: isBars ? 0 : 1.5,
    fill: isFilled || isBars ? `${stroke}${isBars ? "cc" : "22"}` : undefined,
    paths: isBars ? uPlot.paths.bars?.({ size: [0.8, 24] }) : undefined,
    points: { show: true, size: 4, fill: stroke, filter: (plot, index) => isolated(plot.data[index] ?? []) },
    value: (_, value, __, index) => (index == null ? "" : format(value)),
  };
}

const timeSeries: uPlot.Series = {
  label: "Time",
  value: (_, time) => (time == null ? "" : formatTime(time)),
};

function axis(options: Partial<uPlot.Axis>): uPlot.Axis {
  return {
    stroke: colour("muted"),
    font: axisFont,
    grid: { stroke: colour("line"), width: 1 },
    ticks: { show: false },
    ...options,
  };
}

/** Values over time. The legend under it shows those under the cursor. */
export function TimeChart({ label, times, series, format, heightPx = 180, range }: TimeChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const theme = useTheme();
  const data = useMemo(
    () => [times, ...series.map((one) => one.values)] as uPlot.AlignedData,
    [times, series],
  );
  const latest = useRef({ data, series, format, range });
  latest.current = { data, series, format, range };
  const hasWholeSteps = series.every((one) => areWhole(one.values));
  const shape = [hasWholeSteps, ...series.map((one) => `${one.name}/${one.colour}`)].join();

  // biome-ignore lint/correctness/useExhaustiveDependencies: drawn anew only when its form changes; data are set below
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const { series: shown, data: first } = latest.current;
    const made = new uPlot(
      {
        width: Math.max(element.clientWidth, 100),
        height: heightPx,
        series: [
          timeSeries,
          ...shown.map((one) => seriesOptions(one, (value) => latest.current.format(value))),
        ],
        axes: [
          axis({
            size: 28,
            grid: { show: false },
            values: (_, ticks, __, ___, step) => ticks.map((tick) => formatTick(tick, step)),
          }),
          axis({
            size: 56,
            incrs: hasWholeSteps ? wholeSteps : undefined,
            values: (_, ticks) => ticks.map((tick) => latest.current.format(tick)),
          }),
        ],
        scales: {
          x: { range: (_, min, max) => latest.current.range ?? [min, max] },
          y: {
            range: (_, min, max) => [Math.min(0, min ?? 0), max > 0 ? max * 1.08 : 1],
          },
        },
        cursor: { y: false, points: { size: 6 } },
        legend: {
          live: true,
          markers: { width: 0, fill: (_, index) => colour(shown[index - 1]?.colour ?? "muted") },
        },
        padding: [8, 18, 0, 0],
      },
      first,
      element,
    );
    plot.current = made;
    const watch = new ResizeObserver(() =>
      made.setSize({ width: Math.max(element.clientWidth, 100), height: heightPx }),
    );
    watch.observe(element);
    return () => {
      watch.disconnect();
      made.destroy();
      plot.current = undefined;
    };
  }, [shape, heightPx, theme]);

  useEffect(() => plot.current?.setData(data), [data]);
  return <div ref={place} role="img" aria-label={label} className="chart min-w-0" />;
}

/** The shape of a series in a line of text. */
export function Sparkline({
  values,
  colour: name = "accent",
  label,
}: {
  values: number[];
  colour?: string;
  label: string;
}) {
  const max = Math.max(...values, Number.EPSILON);
  const points = values.map(
    (value, index) => `${(index / Math.max(values.length - 1, 1)) * 100},${20 - (value / max) * 18}`,
  );
  return (
    <svg role="img" aria-label={label} viewBox="0 0 100 20" preserveAspectRatio="none" className="h-5 w-full">
      <polyline
        points={points.join(" ")}
        fill="none"
        stroke={`var(--${name})`}
        strokeWidth={1.5}
        vectorEffect="non-scaling-stroke"
      />
    </svg>
  );
}
