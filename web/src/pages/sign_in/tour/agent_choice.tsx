import type { UseFormRegisterReturn } from "react-hook-form";

interface AgentChoiceProps {
  agents: { id: string; name: string; capabilities: string[] }[];
  field: UseFormRegisterReturn;
}

const choice =
  "flex min-w-0 cursor-pointer items-start gap-2 rounded-md border border-line px-3 py-2 hover:bg-hover has-checked:border-accent has-checked:bg-accent-soft has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-accent";

/** Radio buttons: arrow keys go from agent to agent. */
export function AgentChoice({ agents, field }: AgentChoiceProps) {
  const auto = {
    id: "auto",
    name: "Whoever fits best",
    capabilities: ["chosen by the words of the question"],
  };
  return (
    <fieldset className="min-w-0">
      <legend className="mb-1 font-medium">Agent</legend>
      <div className="grid max-h-72 grid-cols-1 gap-2 overflow-y-auto p-0.5 sm:grid-cols-2">
        {[...agents, auto].map(({ id, name, capabilities }) => (
          <label key={id} className={choice}>
            <input
              type="radio"
              value={id}
              {...field}
              className="mt-0.5 size-4 shrink-0 accent-accent-strong outline-none"
            />
            <span className="min-w-0">
              <span className="block font-medium">{name}</span>
              <span className="block truncate text-xs text-muted">{capabilities.join(", ")}</span>
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
