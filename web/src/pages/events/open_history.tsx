import { useNavigate } from "@tanstack/react-router";
import { History } from "lucide-react";
import { useState } from "react";
import { Button } from "../../ui/button";
import { Field, Input, Select } from "../../ui/field";
import { Popover } from "../../ui/menu";

const kinds = [
  "agent",
  "task",
  "knowledge",
  "session",
  "provider",
  "service",
  "user",
  "role",
  "organisation",
];

/** Goes to the history of something whose id is known. */
export function OpenHistory() {
  const navigate = useNavigate();
  const [kind, setKind] = useState("agent");
  const [id, setId] = useState("");
  const open = () => {
    if (id.trim()) void navigate({ to: "/events/$kind/$", params: { kind, _splat: id.trim() } });
  };
  return (
    <Popover
      trigger={
        <Button>
          <History aria-hidden className="size-3.5" /> Open a history
        </Button>
      }
    >
      <form
        className="flex w-64 flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          open();
        }}
      >
        <Field label="Kind">
          <Select value={kind} onChange={(event) => setKind(event.target.value)}>
            {kinds.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </Select>
        </Field>
        <Field label="Id" hint="Of knowledge: agent and document, as painter/colours.">
          <Input value={id} onChange={(event) => setId(event.target.value)} required />
        </Field>
        <Button type="submit" look="primary">
          Open
        </Button>
      </form>
    </Popover>
  );
}
