/** The form of an agent: its values, and the bodies that they become. */
import type { Schemas } from "../../api/client";
import { differences, isSame } from "../../lib/differences";
import { fieldOf } from "../../lib/forms";
import { type Config, formatConfig, parseConfig, withKey } from "./config_model";
import type { Agent } from "./search";

export interface AgentValues {
  id: string;
  name: string;
  specialization: string;
  model: string;
  capabilities: string[];
  max_concurrency: number;
  /** As text, since it is kept as it is written. */
  config: string;
}

export const fieldNames = [
  "id",
  "name",
  "specialization",
  "model",
  "capabilities",
  "max_concurrency",
  "config",
] as const satisfies readonly (keyof AgentValues)[];

/** What the API takes when nothing is said. */
export const newAgent: AgentValues = {
  id: "",
  name: "",
  specialization: "",
  model: String(fieldOf("AgentCreate", "model").default),
  capabilities: [],
  max_concurrency: Number(fieldOf("AgentCreate", "max_concurrency").default),
  config: "{}",
};

export const idMax = 50;
export const capabilitiesMax = 64;
export const capabilityMax = 50;
const reservedIds = ["auto", "execute"];

export function valuesOf(agent: Agent): AgentValues {
  const { id, name, specialization, model, capabilities, max_concurrency } = agent;
  const config = formatConfig(agent.config);
  return { id, name, specialization, model, capabilities, max_concurrency, config };
}

/** An id from a name: "Überprüfer für SQL" becomes "uberprufer_fur_sql". */
export function idFromName(name: string): string {
  const plain = name.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const id = plain.replace(/[^a-z0-9]+/g, "_").replace(/^_/, "");
  return id.slice(0, idMax).replace(/_$/, "");
}

export const idFault = (id: string) => (reservedIds.includes(id) ? `"${id}" is a name of the API.` : true);

/** What was changed in the form, as paths of the agent: "name", "config.max_steps". */
export function changedPaths(before: Agent, values: AgentValues): string[] {
  const now = bodyOf(values);
  const old = Object.fromEntries(Object.keys(now).map((key) => [key, before[key as keyof typeof now]]));
  return differences(old, now).map((difference) => difference.path);
}

export type CreateBody = Schemas["AgentCreate"];
export type ChangeBody = Schemas["AgentPatch"];

function bodyOf(values: AgentValues) {
  const { id: _, config, ...rest } = values;
  return {
    ...rest,
    name: rest.name.trim(),
    specialization: rest.specialization.trim(),
    model: rest.model.trim(),
    config: parseConfig(config) ?? {},
  };
}

export function createBody(values: AgentValues): CreateBody {
  return { id: values.id.trim(), ...bodyOf(values) } as CreateBody;
}

/** `theirs` with what was changed from `before` to `mine`, key by key. */
function mergedConfig(before: Config, mine: Config, theirs: Config): Config {
  const keys = new Set([...Object.keys(before), ...Object.keys(mine)]);
  return [...keys]
    .filter((key) => !isSame(before[key], mine[key]))
    .reduce((merged, key) => withKey(merged, key, mine[key]), theirs);
}

/**
 * Only what is not as it was in `before`, so that nobody's change of another field is undone. `latest` is what it goes
 * on top of, when somebody else was faster.
 */
export function changeBody(before: Agent, values: AgentValues, latest = before): ChangeBody {
  const now = bodyOf(values);
  const changed = Object.entries(now).filter(
    ([key, value]) => !isSame(before[key as keyof typeof now], value),
  );
  const body = Object.fromEntries(changed) as Partial<typeof now>;
  if (body.config) body.config = mergedConfig(before.config, body.config, latest.config);
  return body as ChangeBody;
}
