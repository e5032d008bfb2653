import { ToggleGroup } from "radix-ui";
import { type RangeName, rangeNames, ranges } from "../lib/time_range";

interface RangePickerProps {
  value: RangeName;
  onChange: (value: RangeName) => void;
}

/** How far back a page looks. */
export function RangePicker({ value, onChange }: RangePickerProps) {
  return (
    <ToggleGroup.Root
      type="single"
      value={value}
      onValueChange={(chosen) => chosen && onChange(chosen as RangeName)}
      aria-label="Time range"
      className="flex h-8 rounded-md border border-edge/50 bg-raised p-0.5"
    >
      {rangeNames.map((name) => (
        <ToggleGroup.Item
          key={name}
          value={name}
          aria-label={`Last ${ranges[name].said}`}
          className="rounded-sm px-2.5 font-medium text-muted hover:text-text data-[state=on]:bg-accent-soft data-[state=on]:text-accent"
        >
          {name}
        </ToggleGroup.Item>
      ))}
    </ToggleGroup.Root>
  );
}
