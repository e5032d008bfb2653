import { RotateCcw } from "lucide-react";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { $api, refreshPaths } from "../../api/client";
import { asApiError } from "../../api/problem";
import { Button } from "../../ui/button";
import { Field, Input, Select } from "../../ui/field";
import { FormEnd } from "../../ui/form_end";
import { Notice } from "../../ui/states";
import { toast } from "../../ui/toast";

interface Values {
  point: "since" | "beginning" | "tip";
  /** As the browser's field gives it, in the reader's zone. */
  since: string;
}

/** Sends a group to another point of the log, after saying what that means. */
export function ReplayConsumer({ name }: { name: string }) {
  const [isOpen, setOpen] = useState(false);
  if (isOpen) return <ReplayForm name={name} onDone={() => setOpen(false)} />;
  return (
    <Button className="self-start" onClick={() => setOpen(true)}>
      <RotateCcw aria-hidden className="size-3.5" /> Replay
    </Button>
  );
}

function ReplayForm({ name, onDone }: { name: string; onDone: () => void }) {
  const { register, handleSubmit, watch, formState, setError } = useForm<Values>({
    defaultValues: { point: "since", since: "" },
  });
  const replay = $api.useMutation("post", "/api/v1/consumers/{consumer}/replay");
  const point = watch("point");
  const submit = handleSubmit(async ({ since }) => {
    const body = point === "since" ? { since: new Date(since).toISOString() } : { from: point };
    try {
      await replay.mutateAsync({ params: { path: { consumer: name } }, body });
      toast(`${name} goes on from there`);
      refreshPaths("/api/v1/consumers", "/api/v1/events/flow");
      onDone();
    } catch (error) {
      setError("root", { message: asApiError(error).message });
    }
  });
  return (
    <form
      noValidate
      aria-label={`Replay ${name}`}
      onSubmit={(event) => void submit(event)}
      className="flex flex-col gap-4 rounded-lg border border-line p-4"
    >
      <Field label="Go on from">
        <Select {...register("point")}>
          <option value="since">A moment</option>
          <option value="beginning">The beginning of the log</option>
          <option value="tip">The end of the log</option>
        </Select>
      </Field>
      {point === "since" && (
        <Field
          label="Moment"
          hint="In your time zone. What was written then or later is handled again."
          error={formState.errors.since?.message}
        >
          <Input type="datetime-local" step={1} {...register("since", { required: "Choose a moment." })} />
        </Field>
      )}
      <Notice>
        {point === "tip"
          ? "It never gets what it goes past: those events stay in the log, unhandled by this consumer."
          : "It handles again what it has had. A handler that does something twice by that, such as counting, counts twice."}{" "}
        This holds for the events of all organisations.
      </Notice>
      <FormEnd
        fault={formState.errors.root?.message}
        action="Replay"
        isDangerous
        isBusy={formState.isSubmitting}
        onCancel={onDone}
      />
    </form>
  );
}
