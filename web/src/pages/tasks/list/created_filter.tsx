import { Button } from "../../../ui/button";
import { Field, Input } from "../../../ui/field";
import type { ChangeSearch } from "../filters";
import { fromLocalInput, toLocalInput } from "../local_time";

const spans = [
  { name: "Last hour", hours: 1 },
  { name: "Last 24 hours", hours: 24 },
  { name: "Last 7 days", hours: 7 * 24 },
];

interface CreatedFilterProps {
  from?: string;
  to?: string;
  onChange: ChangeSearch;
}

export function CreatedFilter({ from, to, onChange }: CreatedFilterProps) {
  const since = (hours: number) =>
    onChange({ from: new Date(Date.now() - hours * 3_600_000).toISOString(), to: undefined });
  return (
    <div className="flex w-56 flex-col gap-3">
      <div className="flex flex-col gap-1">
        {spans.map(({ name, hours }) => (
          <Button key={name} look="quiet" className="justify-start px-1" onClick={() => since(hours)}>
            {name}
          </Button>
        ))}
      </div>
      <Field label="From">
        <Input
          type="datetime-local"
          value={toLocalInput(from)}
          onChange={(event) => onChange({ from: fromLocalInput(event.target.value) })}
        />
      </Field>
      <Field label="Before">
        <Input
          type="datetime-local"
          value={toLocalInput(to)}
          onChange={(event) => onChange({ to: fromLocalInput(event.target.value) })}
        />
      </Field>
    </div>
  );
}
