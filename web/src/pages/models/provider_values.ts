/** The fields of a provider as a form has them, and back to a body of the API. */
import type { Schemas } from "../../api/client";

export type Provider = Schemas["Provider"];
export type ProviderKind = Provider["kind"];

export interface ModelName {
  /** As agents say it. */
  name: string;
  /** As the provider says it. */
  model: string;
}

export interface ProviderValues {
  id: string;
  kind: ProviderKind;
  base_url: string;
  default_model: string;
  models: ModelName[];
  /** What is typed; empty: as `keyUse` says. */
  key: string;
  keyUse: "keep" | "set" | "remove";
}

export const fieldNames = ["id", "kind", "base_url", "default_model", "models", "key"] as const;

export const usualUrls: Record<ProviderKind, string> = {
  openai: "https://api.openai.com/v1",
  anthropic: "https://api.anthropic.com",
};

/** Names of the protocols; `extractive` speaks none. */
export const protocolNames: Record<string, string> = {
  openai: "OpenAI",
  anthropic: "Anthropic",
  extractive: "none: it quotes knowledge",
};

export function valuesOf(provider: Provider | undefined): ProviderValues {
  return {
    id: provider?.id ?? "",
    kind: provider?.kind ?? "openai",
    base_url: provider?.base_url ?? usualUrls.openai,
    default_model: provider?.default_model ?? "",
    models: Object.entries(provider?.models ?? {}).map(([name, model]) => ({ name, model: String(model) })),
    key: "",
    keyUse: provider?.has_key ? "keep" : "set",
  };
}

function originOf(url: string): string | null {
  try {
    return new URL(url).origin;
  } catch {
    return null;
  }
}

/** The key was given for one host: the API does not send it to another one. */
export function isOtherHost(before: string, now: string): boolean {
  const origin = originOf(now);
  return origin !== null && origin !== originOf(before);
}

function keyPart({ key, keyUse }: ProviderValues): { key?: string | null } {
  if (keyUse === "remove") return { key: null };
  return keyUse === "set" && key !== "" ? { key } : {};
}

function modelsOf({ models }: ProviderValues): Record<string, never> {
  const named = models.filter(({ name, model }) => name.trim() && model.trim());
  const pairs = named.map(({ name, model }) => [name.trim(), model.trim()]);
  // The description of the API says no more of it than that it is an object.
  return Object.fromEntries(pairs) as Record<string, never>;
}

export function createBody(values: ProviderValues): Schemas["ProviderInputCreate"] {
  return {
    id: values.id,
    kind: values.kind,
    base_url: values.base_url,
    default_model: values.default_model,
    models: modelsOf(values),
    ...keyPart(values),
  };
}

export function patchBody(values: ProviderValues): Schemas["ProviderInputPatch"] {
  const { id: _, ...body } = createBody(values);
  return body;
}

export function validModels(models: readonly ModelName[]): true | string {
  const names = models.map(({ name }) => name.trim()).filter(Boolean);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice) return `"${twice}" stands here twice.`;
  const half = models.find(({ name, model }) => Boolean(name.trim()) !== Boolean(model.trim()));
  return half ? "Give both names of each model, or remove the line." : true;
}
