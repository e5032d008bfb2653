import { formatSeconds } from "../../lib/format";
import { type RangeName, ranges } from "../../lib/time_range";
import { Select } from "../../ui/field";
import { RangePicker } from "../../ui/range_picker";
import type { MetricsSearch, View } from "./search";
import { isStepOf, stepsOf } from "./units";

const names: Record<View, string> = {
  mean: "Mean, min, max",
  percentiles: "p50, p95, p99",
  sum: "Sum",
  count: "Number of values",
  last: "Last value",
};

interface DetailControlsProps {
  range: RangeName;
  step?: number;
  view: View;
  onChange: (changes: MetricsSearch) => void;
}

export function DetailControls({ range, step, view, onChange }: DetailControlsProps) {
  const { seconds, step: ownStep } = ranges[range];
  const changeRange = (next: RangeName) => {
    const isKept = step && isStepOf(ranges[next].seconds, step);
    onChange({ range: next, step: isKept ? step : undefined });
  };
  return (
    <div className="flex flex-wrap items-center gap-2 py-1">
      <div className="w-40">
        <Select
          aria-label="Values"
          value={view}
          onChange={(event) => onChange({ view: event.target.value as View })}
        >
          {Object.entries(names).map(([value, name]) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </Select>
      </div>
      <div className="w-36">
        <Select
          aria-label="Step"
          value={step ?? ""}
          onChange={(event) => onChange({ step: Number(event.target.value) || undefined })}
        >
          <option value="">Every {formatSeconds(ownStep)}</option>
          {stepsOf(seconds)
            .filter((each) => each !== ownStep)
            .map((each) => (
              <option key={each} value={each}>
                Every {formatSeconds(each)}
              </option>
            ))}
        </Select>
      </div>
      <RangePicker value={range} onChange={changeRange} />
    </div>
  );
}
