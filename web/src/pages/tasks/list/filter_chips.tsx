import { X } from "lucide-react";
import { formatExact, formatWords } from "../../../lib/format";
import { Button } from "../../../ui/button";
import { type ChangeSearch, filtersOf, type TaskSearch } from "../filters";
import { useAgents } from "../queries";

interface Chip {
  key: keyof TaskSearch;
  name: string;
  value: string;
}

const wordsOf = (values: readonly string[]) => values.map(formatWords).join(", ");

function chipsOf(search: TaskSearch, agentName: string): Chip[] {
  const { statuses, priorities } = filtersOf(search);
  const all: Chip[] = [
    { key: "q", name: "Text", value: search.q ?? "" },
    { key: "status", name: "Status", value: wordsOf(statuses) },
    { key: "priority", name: "Priority", value: wordsOf(priorities) },
    { key: "agent", name: "Agent", value: agentName },
    { key: "from", name: "From", value: search.from ? formatExact(search.from) : "" },
    { key: "to", name: "Before", value: search.to ? formatExact(search.to) : "" },
    { key: "parent", name: "Delegated by", value: search.parent ?? "" },
  ];
  return all.filter((chip) => chip.value !== "");
}

const none: TaskSearch = {
  status: undefined,
  priority: undefined,
  agent: undefined,
  q: undefined,
  from: undefined,
  to: undefined,
  parent: undefined,
};

interface FilterChipsProps {
  search: TaskSearch;
  onChange: ChangeSearch;
}

/** What the list is narrowed by now, each to be taken away. */
export function FilterChips({ search, onChange }: FilterChipsProps) {
  const agents = useAgents();
  const agent = agents.data?.agents.find((each) => each.id === search.agent);
  const chips = chipsOf(search, agent?.name ?? search.agent ?? "");
  if (chips.length === 0) return null;
  return (
    <ul aria-label="Filters" className="flex min-w-0 flex-wrap items-center gap-1.5">
      {chips.map((chip) => (
        <li
          key={chip.key}
          className="inline-flex h-6 max-w-full items-center rounded-sm bg-accent-soft pl-2 text-xs text-accent"
        >
          <span className="max-w-72 truncate">
            {chip.name}: <span className="font-medium">{chip.value}</span>
          </span>
          <button
            type="button"
            aria-label={`Remove filter ${chip.name}`}
            onClick={() => onChange({ [chip.key]: undefined })}
            className="grid size-6 place-items-center rounded-sm hover:brightness-95"
          >
            <X aria-hidden className="size-3" />
          </button>
        </li>
      ))}
      <li>
        <Button look="quiet" className="h-6 px-2 text-xs" onClick={() => onChange(none)}>
          Clear filters
        </Button>
      </li>
    </ul>
  );
}
