import { Command } from "cmdk";
import { Check, ChevronDown } from "lucide-react";
import { Popover as Radix } from "radix-ui";
import { useState } from "react";
import { cx } from "../../lib/classes";
import { Skeleton } from "../../ui/states";
import { useAgents } from "./queries";

interface AgentPickerProps {
  /** Id of an agent; empty: none is chosen. */
  value: string;
  onChange: (id: string) => void;
  /** What it says when no agent is chosen, which can be chosen as well. */
  none: string;
  label: string;
  /** In a form it is as wide as the other fields. */
  isField?: boolean;
  id?: string;
  "aria-describedby"?: string;
}

const item = "flex min-h-8 cursor-pointer items-center gap-2 rounded-sm px-2 data-[selected=true]:bg-hover";

/** Chooses one agent, by any part of its name, id or field. */
export function AgentPicker({ value, onChange, none, label, isField, ...field }: AgentPickerProps) {
  const [isOpen, setOpen] = useState(false);
  const agents = useAgents();
  const chosen = agents.data?.agents.find((agent) => agent.id === value);
  const choose = (id: string) => {
    onChange(id);
    setOpen(false);
  };
  return (
    <Radix.Root open={isOpen} onOpenChange={setOpen} modal>
      <Radix.Trigger asChild>
        <button
          type="button"
          {...field}
          aria-label={isField ? undefined : label}
          className={cx(
            "inline-flex h-8 items-center gap-1.5 rounded-md border text-left hover:bg-hover",
            isField ? "w-full border-edge/60 bg-surface px-2.5" : "border-edge/50 bg-raised px-3 font-medium",
          )}
        >
          <span className={cx("min-w-0 flex-1 truncate", isField && !value && "text-muted")}>
            {isField ? (chosen?.name ?? (value || none)) : "Agent"}
          </span>
          <ChevronDown aria-hidden className="size-3.5 shrink-0 text-muted" />
        </button>
      </Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          align="start"
          sideOffset={4}
          collisionPadding={8}
          className="z-50 w-72 max-w-[calc(100vw-1rem)] animate-appear rounded-md bg-raised shadow-float"
        >
          <Command label={label} loop>
            <Command.Input
              placeholder="Search agents"
              className="h-9 w-full border-b border-line bg-transparent px-3 outline-none placeholder:text-muted"
            />
            <Command.List className="max-h-64 overflow-y-auto p-1">
              <Command.Empty className="px-2 py-4 text-center text-muted">No such agent.</Command.Empty>
              <Command.Item value={none} className={item} onSelect={() => choose("")}>
                <span className="flex-1">{none}</span>
                {!value && <Check aria-label="Chosen" className="size-3.5" />}
              </Command.Item>
              {agents.isPending && <Skeleton />}
              {agents.data?.agents.map((agent) => (
                <Command.Item
                  key={agent.id}
                  value={agent.id}
                  keywords={[agent.name, agent.specialization]}
                  className={item}
                  onSelect={() => choose(agent.id)}
                >
                  <span className="min-w-0 flex-1 truncate">
                    {agent.name} <span className="text-muted">{agent.id}</span>
                  </span>
                  {agent.id === value && <Check aria-label="Chosen" className="size-3.5" />}
                </Command.Item>
              ))}
            </Command.List>
          </Command>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
