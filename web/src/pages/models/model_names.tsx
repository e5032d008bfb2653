import { ArrowRight, Plus, X } from "lucide-react";
import { Button, IconButton } from "../../ui/button";
import { Input } from "../../ui/field";
import type { ModelName } from "./provider_values";

interface ModelNamesProps {
  names: readonly ModelName[];
  onChange: (names: ModelName[]) => void;
  error: string | undefined;
}

/** What the model names of agents mean at this provider. */
export function ModelNames({ names, onChange, error }: ModelNamesProps) {
  const change = (index: number, next: Partial<ModelName>) =>
    onChange(names.map((each, at) => (at === index ? { ...each, ...next } : each)));
  return (
    <fieldset className="flex flex-col gap-2">
      <legend className="mb-1 font-medium">Model names</legend>
      {names.map((each, index) => (
        <div key={index} className="flex items-center gap-2">
          <Input
            aria-label={`Name for agents, line ${index + 1}`}
            placeholder="name for agents"
            className="font-mono"
            value={each.name}
            onChange={(event) => change(index, { name: event.target.value })}
          />
          <ArrowRight aria-hidden className="size-4 shrink-0 text-muted" />
          <Input
            aria-label={`Model, line ${index + 1}`}
            placeholder="model of the provider"
            className="font-mono"
            value={each.model}
            onChange={(event) => change(index, { model: event.target.value })}
          />
          <IconButton
            label={`Remove line ${index + 1}`}
            onClick={() => onChange(names.filter((_, at) => at !== index))}
          >
            <X aria-hidden className="size-4" />
          </IconButton>
        </div>
      ))}
      <Button className="self-start" onClick={() => onChange([...names, { name: "", model: "" }])}>
        <Plus aria-hidden className="size-4" /> Add name
      </Button>
      {error && <p className="text-xs text-danger">{error}</p>}
    </fieldset>
  );
}
