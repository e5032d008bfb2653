import type { ReactNode } from "react";
import { Controller, type UseFormReturn } from "react-hook-form";
import { fieldOf, rulesOf, validJsonObject } from "../../lib/forms";
import { ChipsInput } from "../../ui/chips";
import { Field, Input, Select, TextArea } from "../../ui/field";
import { FormEnd } from "../../ui/form_end";
import { useAgents } from "./filters";
import type { ItemValues } from "./item_values";

const body = "KnowledgeCreate";
const tagMax = 50;
const metadataBytesMax = 262_144;
const idBytesMax = 255;

const bytesOf = (text: string) => new TextEncoder().encode(text).length;

function validTags(tags: string[]): true | string {
  if (tags.length > 64) return "At most 64 tags.";
  const long = tags.find((tag) => [...tag].length > tagMax);
  return long ? `"${long.slice(0, 20)}…" has more than ${tagMax} characters.` : true;
}

function validMetadata(text: string): true | string {
  if (bytesOf(text) > metadataBytesMax) return `At most ${metadataBytesMax.toLocaleString("en")} bytes.`;
  return validJsonObject(text);
}

function validId(id: string): true | string {
  if (bytesOf(id) > idBytesMax) return `At most ${idBytesMax} bytes.`;
  return !/\p{Cc}/u.test(id) || "No line breaks or other control characters.";
}

interface ItemFormProps {
  form: UseFormReturn<ItemValues>;
  /** Of a new item its agent and id are asked for as well. */
  isNew?: boolean;
  onSubmit: (values: ItemValues) => Promise<void>;
  onCancel: () => void;
  action: string;
  /** Above the buttons: what stands in the way. */
  children?: ReactNode;
}

export function ItemForm({ form, isNew, onSubmit, onCancel, action, children }: ItemFormProps) {
  const { register, handleSubmit, control, formState } = form;
  const { errors, isSubmitting } = formState;
  return (
    <form noValidate onSubmit={(event) => void handleSubmit(onSubmit)(event)} className="flex flex-col gap-4">
      {isNew && <Identity form={form} />}
      <Field label="Content" isRequired error={errors.content?.message}>
        <TextArea rows={12} {...register("content", rulesOf<ItemValues, "content">(body, "content"))} />
      </Field>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label="Category" hint="A word to sort and filter by." error={errors.category?.message}>
          <Input
            {...register("category", {
              ...rulesOf<ItemValues, "category">(body, "category"),
              required: "This is needed.",
            })}
          />
        </Field>
        <Field
          label="Relevance"
          hint="Weight in search, 0 to 100. 1 is usual."
          error={errors.relevance_score?.message}
        >
          <Input
            type="number"
            step="any"
            {...register("relevance_score", {
              ...rulesOf<ItemValues, "relevance_score">(body, "relevance_score"),
              required: "This is needed.",
            })}
          />
        </Field>
      </div>
      <Field label="Source" hint="Where it comes from; answers name it." error={errors.source?.message}>
        <Input {...register("source", rulesOf<ItemValues, "source">(body, "source"))} />
      </Field>
      <Controller
        control={control}
        name="tags"
        rules={{ validate: validTags }}
        render={({ field }) => (
          <Field label="Tags" hint="Enter or a comma ends one." error={errors.tags?.message}>
            <ChipsInput
              ref={field.ref}
              values={field.value}
              onChange={field.onChange}
              onBlur={field.onBlur}
              noun="tag"
              maxLength={tagMax}
            />
          </Field>
        )}
      />
      <Field label="Metadata" hint="A JSON object, kept as written." error={errors.metadata?.message}>
        <TextArea
          rows={4}
          spellCheck={false}
          className="font-mono text-xs"
          {...register("metadata", { validate: validMetadata })}
        />
      </Field>
      {children}
      <FormEnd fault={errors.root?.message} action={action} isBusy={isSubmitting} onCancel={onCancel} />
    </form>
  );
}

function Identity({ form }: { form: UseFormReturn<ItemValues> }) {
  const agents = useAgents();
  const { register, formState, watch } = form;
  const chosen = watch("agent_id");
  const isListed = agents.some((agent) => agent.id === chosen);
  // One list with one key each: the chosen option must be the same element when the agents come in.
  const choices = isListed || !chosen ? agents : [{ id: chosen, name: chosen }, ...agents];
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      <Field label="Agent" isRequired hint="Who knows it." error={formState.errors.agent_id?.message}>
        <Select {...register("agent_id", { required: "Choose an agent." })}>
          <option value="">Choose an agent</option>
          {choices.map((agent) => (
            <option key={agent.id} value={agent.id}>
              {agent.name}
            </option>
          ))}
        </Select>
      </Field>
      <Field label="Id" hint={fieldOf(body, "id").description} error={formState.errors.id?.message}>
        <Input className="font-mono" {...register("id", { validate: validId })} />
      </Field>
    </div>
  );
}
