/** The fields of an item as a form has them, and back to a body of the API. */
import type { Schemas } from "../../api/client";
import { type Item, metadataOf } from "./items";

export interface ItemValues {
  id: string;
  agent_id: string;
  content: string;
  category: string;
  source: string;
  tags: string[];
  relevance_score: string;
  metadata: string;
}

export type FieldName = keyof ItemValues;

export const fieldNames: FieldName[] = [
  "id",
  "agent_id",
  "content",
  "category",
  "source",
  "tags",
  "relevance_score",
  "metadata",
];

export const defaultCategory = "domain_knowledge";

export function emptyValues(agent: string | undefined): ItemValues {
  return {
    id: "",
    agent_id: agent ?? "",
    content: "",
    category: defaultCategory,
    source: "",
    tags: [],
    relevance_score: "1",
    metadata: "{}",
  };
}

export function valuesOf(item: Item): ItemValues {
  return {
    id: item.id,
    agent_id: item.agent_id,
    content: item.content,
    category: item.category,
    source: item.source,
    tags: item.tags,
    relevance_score: String(item.relevance_score),
    metadata: JSON.stringify(metadataOf(item), null, 2),
  };
}

export function createBody(values: ItemValues): Schemas["KnowledgeCreate"] {
  return {
    ...(values.id ? { id: values.id } : {}),
    content: values.content,
    category: values.category,
    source: values.source,
    tags: values.tags,
    relevance_score: Number(values.relevance_score),
    metadata: JSON.parse(values.metadata || "{}") as Record<string, never>,
  };
}

const same = (left: unknown, right: unknown) => JSON.stringify(left) === JSON.stringify(right);

/** The fields in which `next` is another thing than `before`. */
export function changedFields(before: ItemValues, next: ItemValues): FieldName[] {
  return fieldNames.filter((name) => !same(before[name], next[name]));
}

/** What has changed alone, so that what others change meanwhile stays. Null: nothing has. */
export function patchBody(before: ItemValues, next: ItemValues): Schemas["KnowledgePatch"] | null {
  const changed = new Set(changedFields(before, next));
  if (changed.size === 0) return null;
  // Tags lie within the metadata: to send these alone would take the tags away.
  if (changed.has("metadata")) changed.add("tags");
  const { id: _, ...body } = createBody(next);
  return Object.fromEntries(Object.entries(body).filter(([name]) => changed.has(name as FieldName)));
}
