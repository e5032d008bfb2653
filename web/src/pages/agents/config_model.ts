/** What we know of an agent's `config`; docs/agents.md has the same table. Other keys are kept as they are. */

export type Config = Record<string, unknown>;

export interface KnownNumber {
  key: "temperature" | "max_tokens" | "max_steps" | "max_total_tokens";
  label: string;
  hint: string;
  min: number;
  max: number;
  isWhole: boolean;
  /** What holds when it is left out; null: it is not sent to the model. */
  standard: number | null;
}

export const knownNumbers: readonly KnownNumber[] = [
  {
    key: "temperature",
    label: "Temperature",
    hint: "0 to 2. Newer models refuse any.",
    min: 0,
    max: 2,
    isWhole: false,
    standard: null,
  },
  {
    key: "max_tokens",
    label: "Tokens of an answer",
    hint: "At most; a longer answer is cut.",
    min: 1,
    max: 1_000_000,
    isWhole: true,
    standard: 4096,
  },
  {
    key: "max_steps",
    label: "Calls of the model",
    hint: "At most, for one task; 1 to 100.",
    min: 1,
    max: 100,
    isWhole: true,
    standard: 10,
  },
  {
    key: "max_total_tokens",
    label: "Tokens of a task",
    hint: "Read and written; after that there is no further call.",
    min: 1,
    max: 100_000_000,
    isWhole: true,
    standard: 200_000,
  },
];

export interface KnownTool {
  name: string;
  about: string;
}

export const knownTools: readonly KnownTool[] = [
  { name: "knowledge_search", about: "Searches what the agent knows." },
  { name: "delegate", about: "Gives a task to another agent and waits for its answer." },
];

export const standardTools: readonly string[] = ["knowledge_search"];

/** Keeps an agent from any model: it quotes what it knows. */
export const extractive = "extractive";

export const knownKeys: readonly string[] = [
  "provider",
  "system_prompt",
  ...knownNumbers.map((number) => number.key),
  "tools",
  "answer_schema",
];

const isObject = (value: unknown): value is Config =>
  value !== null && typeof value === "object" && !Array.isArray(value);

export const formatConfig = (config: Config) => JSON.stringify(config, null, 2);

/** Undefined: the text is no JSON object. */
export function parseConfig(text: string): Config | undefined {
  try {
    const value: unknown = JSON.parse(text.trim() || "{}");
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** With `key` set, or without it; the other keys stay where they are. */
export function withKey(config: Config, key: string, value: unknown): Config {
  if (value !== undefined) return { ...config, [key]: value };
  const { [key]: _, ...rest } = config;
  return rest;
}

/** The tools that are called by name; those that are not ours stay in the list. */
export function toolsOf(config: Config): readonly string[] {
  if (!Array.isArray(config.tools)) return standardTools;
  return config.tools.filter((tool): tool is string => typeof tool === "string");
}

export function withTool(config: Config, name: string, isOn: boolean): Config {
  const others = toolsOf(config).filter((tool) => tool !== name);
  return withKey(config, "tools", isOn ? [...others, name] : others);
}

/** What the API would refuse, by key, in its own words. */
export const faultOf: Record<string, (value: unknown) => string | undefined> = {
  provider: faultOfText,
  system_prompt: faultOfText,
  ...Object.fromEntries(knownNumbers.map((number) => [number.key, faultOfNumber(number)])),
  tools: (value) => (Array.isArray(value) ? undefined : "Must be a list of names."),
  answer_schema: (value) => (isObject(value) ? undefined : "Must be a JSON Schema, which is an object."),
};

function faultOfText(value: unknown) {
  return typeof value === "string" ? undefined : "Must be a text.";
}

function faultOfNumber({ min, max, isWhole }: KnownNumber) {
  return (value: unknown) => {
    const isRight =
      typeof value === "number" && value >= min && value <= max && (!isWhole || Number.isInteger(value));
    if (isRight) return undefined;
    return `Must be a ${isWhole ? "whole " : ""}number from ${min} to ${max.toLocaleString("en")}.`;
  };
}

/** What is wrong with a config, by key; null is as good as left out. */
export function configFaults(config: Config): Record<string, string> {
  const faults: Record<string, string> = {};
  for (const [key, check] of Object.entries(faultOf)) {
    const value = config[key];
    const fault = value === undefined || value === null ? undefined : check(value);
    if (fault) faults[key] = fault;
  }
  return faults;
}

export interface Effective {
  key: string;
  /** Undefined: nothing is set, and nothing holds by itself. */
  value: unknown;
  isSet: boolean;
  /** What holds when it is not set, in words. */
  standard: string;
}

const standards: Record<string, { value?: unknown; words: string }> = {
  provider: { words: "by the model's name" },
  system_prompt: { words: "made from name, specialization and capabilities" },
  temperature: { words: "not sent" },
  tools: { value: standardTools, words: standardTools.join(", ") },
  answer_schema: { words: "free text" },
};

/** Every known key with what holds for it, then the client's own keys. */
export function effectiveConfig(config: Config): Effective[] {
  const known = knownKeys.map((key) => {
    const number = knownNumbers.find((each) => each.key === key)?.standard;
    const standard = number ? { value: number, words: number.toLocaleString("en") } : standards[key];
    const isSet = config[key] !== undefined && config[key] !== null;
    return {
      key,
      isSet,
      value: isSet ? config[key] : standard?.value,
      standard: standard?.words ?? "",
    };
  });
  const own = Object.keys(config).filter((key) => !knownKeys.includes(key));
  return [...known, ...own.map((key) => ({ key, value: config[key], isSet: true, standard: "" }))];
}
