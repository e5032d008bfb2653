import { Link, useSearch } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { cx } from "../../lib/classes";
import { Panel } from "../../ui/page";
import { SearchInput } from "../../ui/search";
import { Time } from "../../ui/time";
import type { MetricName } from "./queries";
import { formatOf } from "./units";

interface NamesListProps {
  names: MetricName[];
  chosen: { name: string; service?: string };
}

/** What is recorded, each with its latest value; all words of the search must be in it. */
export function NamesList({ names, chosen }: NamesListProps) {
  const [text, setText] = useState("");
  const found = useMemo(() => {
    const words = text.toLowerCase().split(/\s+/);
    return names.filter(({ name, service }) =>
      words.every((word) => `${name} ${service}`.toLowerCase().includes(word)),
    );
  }, [names, text]);
  return (
    <Panel isFlush className="lg:sticky lg:top-16">
      <div className="border-b border-line p-2">
        <SearchInput label="Search metrics" value={text} onChange={setText} className="sm:w-full" />
      </div>
      {found.length === 0 ? (
        <p className="px-4 py-6 text-center text-muted">No metric has these words.</p>
      ) : (
        <ul
          aria-label="Metrics"
          className="max-h-52 divide-y divide-line overflow-y-auto lg:max-h-[calc(100dvh-15rem)]"
        >
          {found.map((metric) => (
            <li key={`${metric.name} ${metric.service}`}>
              <Name
                metric={metric}
                isChosen={
                  metric.name === chosen.name && (!chosen.service || metric.service === chosen.service)
                }
              />
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

function Name({ metric, isChosen }: { metric: MetricName; isChosen: boolean }) {
  const { name, service, value, timestamp } = metric;
  const { range, view, step } = useSearch({ from: "/signed-in/charts" });
  const kept = { range, view, step };
  return (
    <Link
      to="/charts"
      search={{ ...kept, name, service }}
      aria-current={isChosen ? "true" : undefined}
      className={cx(
        "flex items-baseline gap-3 px-4 py-2 -outline-offset-2",
        isChosen ? "bg-accent-soft" : "hover:bg-hover",
      )}
    >
      <span className="min-w-0 flex-1">
        <span className={cx("block truncate font-medium", isChosen && "text-accent")}>{name}</span>
        <span className="block truncate text-xs text-muted">{service}</span>
      </span>
      <span className="shrink-0 text-right">
        <span className="block tabular-nums">{formatOf(name)(value)}</span>
        <Time at={timestamp} className="block text-xs text-muted" />
      </span>
    </Link>
  );
}
