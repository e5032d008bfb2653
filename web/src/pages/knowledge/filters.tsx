import { useEffect, useId, useState } from "react";
import { $api } from "../../api/client";
import { useCan } from "../../api/hooks";
import { cx } from "../../lib/classes";
import { Input, Select } from "../../ui/field";

/** All agents, as many as a choice can hold. */
export function useAgents() {
  const maySee = useCan("agents:read");
  const agents = $api.useQuery(
    "get",
    "/api/v1/agents",
    { params: { query: { limit: 500 } } },
    { enabled: maySee },
  );
  return agents.data?.agents ?? [];
}

interface AgentFilterProps {
  value: string | undefined;
  onChange: (agent: string | undefined) => void;
}

export function AgentFilter({ value, onChange }: AgentFilterProps) {
  const agents = useAgents();
  const isListed = agents.some((agent) => agent.id === value);
  return (
    <Select
      aria-label="Agent"
      className="w-full sm:w-48"
      value={value ?? ""}
      onChange={(event) => onChange(event.target.value || undefined)}
    >
      <option value="">All agents</option>
      {value && !isListed && <option value={value}>{value}</option>}
      {agents.map((agent) => (
        <option key={agent.id} value={agent.id}>
          {agent.name}
        </option>
      ))}
    </Select>
  );
}

interface CategoryInputProps {
  value: string;
  onChange: (category: string) => void;
  known: readonly string[];
  className?: string;
}

/** Categories are the users' own: any can be typed, those in sight are offered. */
export function CategoryFilter({ value, onChange, known, className }: CategoryInputProps) {
  const [text, setText] = useState(value);
  const listId = useId();
  useEffect(() => setText(value), [value]);
  const apply = (next: string) => {
    setText(next);
    // Chosen from the list, or emptied: there is nothing more to wait for.
    if (next === "" || known.includes(next)) onChange(next);
  };
  return (
    <>
      <Input
        aria-label="Category"
        placeholder="Any category"
        list={listId}
        value={text}
        maxLength={50}
        className={cx("w-full sm:w-48", className)}
        onChange={(event) => apply(event.target.value)}
        onBlur={() => text !== value && onChange(text)}
        onKeyDown={(event) => event.key === "Enter" && onChange(text)}
      />
      <datalist id={listId}>
        {known.map((category) => (
          <option key={category} value={category} />
        ))}
      </datalist>
    </>
  );
}
