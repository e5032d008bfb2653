import { CalendarClock, ChevronDown } from "lucide-react";
import { type RefObject, useId } from "react";
import { formatWords } from "../../../lib/format";
import { Button } from "../../../ui/button";
import { Checkbox } from "../../../ui/field";
import { Popover } from "../../../ui/menu";
import { SearchInput } from "../../../ui/search";
import { AgentPicker } from "../agent_picker";
import { type ChangeSearch, filtersOf, priorities, statuses, type TaskSearch } from "../filters";
import { CreatedFilter } from "./created_filter";

interface FilterBarProps {
  search: TaskSearch;
  onChange: ChangeSearch;
  barRef: RefObject<HTMLDivElement | null>;
}

/** Everything that the list can be narrowed by; it stands in the address. */
export function FilterBar({ search, onChange, barRef }: FilterBarProps) {
  const filters = filtersOf(search);
  return (
    <div ref={barRef} className="flex flex-wrap items-center gap-2">
      <SearchInput
        label="Search descriptions"
        value={search.q ?? ""}
        onChange={(q) => onChange({ q: q || undefined })}
      />
      <Several
        name="Status"
        all={statuses}
        chosen={filters.statuses}
        onChange={(chosen) => onChange({ status: chosen.join(",") || undefined })}
      />
      <Several
        name="Priority"
        all={priorities}
        chosen={filters.priorities}
        onChange={(chosen) => onChange({ priority: chosen.join(",") || undefined })}
      />
      <AgentPicker
        label="Agent"
        none="Any agent"
        value={search.agent ?? ""}
        onChange={(agent) => onChange({ agent: agent || undefined })}
      />
      <Popover
        trigger={
          <Button>
            <CalendarClock aria-hidden className="size-3.5 text-muted" /> Created
          </Button>
        }
      >
        <CreatedFilter from={search.from} to={search.to} onChange={onChange} />
      </Popover>
    </div>
  );
}

interface SeveralProps<T extends string> {
  name: string;
  all: readonly T[];
  chosen: readonly T[];
  onChange: (chosen: T[]) => void;
}

function Several<T extends string>({ name, all, chosen, onChange }: SeveralProps<T>) {
  const id = useId();
  const toggle = (value: T) =>
    onChange(all.filter((each) => (each === value ? !chosen.includes(each) : chosen.includes(each))));
  return (
    <Popover
      trigger={
        <Button>
          {name}
          {chosen.length > 0 && (
            <span className="rounded-sm bg-accent-soft px-1 text-xs text-accent tabular-nums">
              {chosen.length}
            </span>
          )}
          <ChevronDown aria-hidden className="size-3.5 text-muted" />
        </Button>
      }
    >
      <fieldset className="flex flex-col">
        <legend className="sr-only">{name}</legend>
        {all.map((value) => (
          <label
            key={value}
            htmlFor={`${id}-${value}`}
            className="flex h-8 cursor-pointer items-center gap-2 rounded-sm px-1 hover:bg-hover"
          >
            <Checkbox id={`${id}-${value}`} checked={chosen.includes(value)} onChange={() => toggle(value)} />
            {formatWords(value)}
          </label>
        ))}
      </fieldset>
    </Popover>
  );
}
