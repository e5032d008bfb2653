import { X } from "lucide-react";
import type { FormEvent } from "react";
import { useId, useState } from "react";
import { $api } from "../../api/client";
import { useCan } from "../../api/hooks";
import { Button, IconButton } from "../../ui/button";
import { Input } from "../../ui/field";
import { addTag, readTags, removeTag, tagFault } from "./tags";

interface TagFilterProps {
  metric: string;
  tags: string | undefined;
  onChange: (tags: string | undefined) => void;
}

const endings = ["completed", "failed", "cancelled"].map((status) => `status:${status}`);

/** Tags that the metrics of tasks have; those of others only their services know. */
function useKnownTags(metric: string): string[] {
  const isOfTasks = metric.startsWith("task.");
  const maySee = useCan("agents:read");
  const agents = $api.useQuery(
    "get",
    "/api/v1/agents",
    { params: { query: { limit: 500 } } },
    { enabled: isOfTasks && maySee },
  );
  if (!isOfTasks) return [];
  return [...endings, ...(agents.data?.agents.map((agent) => `agent_id:${agent.id}`) ?? [])];
}

/** Only values with all of these tags. */
export function TagFilter({ metric, tags, onChange }: TagFilterProps) {
  const [text, setText] = useState("");
  const [fault, setFault] = useState<string>();
  const id = useId();
  const known = useKnownTags(metric);
  const add = (event: FormEvent) => {
    event.preventDefault();
    const tag = text.trim();
    const wrong = tagFault(tag);
    setFault(wrong);
    if (wrong) return;
    setText("");
    onChange(addTag(tags, tag));
  };
  return (
    <div className="mb-4 flex flex-wrap items-start gap-2">
      {readTags(tags).map((tag) => (
        <span
          key={tag}
          className="flex h-8 items-center gap-1 rounded-md bg-accent-soft pl-2.5 font-mono text-xs text-accent"
        >
          {tag}
          <IconButton
            label={`Remove ${tag}`}
            className="h-6 w-6 text-accent"
            onClick={() => onChange(removeTag(tags, tag))}
          >
            <X aria-hidden className="size-3.5" />
          </IconButton>
        </span>
      ))}
      <form onSubmit={add} noValidate className="flex flex-wrap gap-2">
        <div className="w-56">
          <Input
            aria-label="Filter by tag"
            placeholder="Filter by tag, as status:failed"
            list={id}
            value={text}
            aria-invalid={fault ? true : undefined}
            aria-describedby={fault ? `${id}-fault` : undefined}
            onChange={(event) => setText(event.target.value)}
          />
          {fault && (
            <p id={`${id}-fault`} role="alert" className="mt-1 text-xs text-danger">
              {fault}
            </p>
          )}
        </div>
        <datalist id={id}>
          {known.map((tag) => (
            <option key={tag} value={tag} />
          ))}
        </datalist>
        <Button type="submit">Add</Button>
      </form>
    </div>
  );
}
