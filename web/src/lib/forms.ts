/** Forms check by what the API says of its bodies, and show what it says of a body that it refused. */
import type { FieldValues, Path, RegisterOptions, UseFormSetError } from "react-hook-form";
import bodies from "../api/bodies.json";
import { asApiError } from "../api/problem";

interface Schema {
  type?: string | string[];
  enum?: unknown[];
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  default?: unknown;
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
}

const schemas = bodies as unknown as Record<string, Schema>;

/** What the API says of a field of a body: its description, bounds, choices. */
export function fieldOf(body: string, name: string): Schema {
  const field = schemas[body]?.properties?.[name];
  if (!field) throw new Error(`the API has no ${body}.${name}`);
  return field;
}

/** The rules of that field for react-hook-form, for the values of text and number inputs. */
export function rulesOf<T extends FieldValues, N extends Path<T>>(
  body: string,
  name: N,
): RegisterOptions<T, N> {
  const field = fieldOf(body, name);
  const isRequired = schemas[body]?.required?.includes(name) ?? false;
  const count = (value: number) => `${value.toLocaleString("en")} character${value === 1 ? "" : "s"}`;
  const rules: RegisterOptions<T, N> = {};
  if (isRequired) rules.required = "This is needed.";
  if (field.minLength && field.minLength > 1)
    rules.minLength = { value: field.minLength, message: `At least ${count(field.minLength)}.` };
  if (field.maxLength)
    rules.maxLength = { value: field.maxLength, message: `At most ${count(field.maxLength)}.` };
  if (field.minimum !== undefined)
    rules.min = { value: field.minimum, message: `At least ${field.minimum}.` };
  if (field.maximum !== undefined) rules.max = { value: field.maximum, message: `At most ${field.maximum}.` };
  if (field.pattern) {
    const pattern = new RegExp(field.pattern);
    rules.validate = (value: unknown) =>
      value === "" || pattern.test(String(value)) || `Must match ${field.pattern}.`;
  }
  return rules;
}

/** For a field with JSON in it. */
export function validJsonObject(text: string): true | string {
  try {
    const value: unknown = JSON.parse(text || "{}");
    if (value !== null && typeof value === "object" && !Array.isArray(value)) return true;
    return "Must be a JSON object: { … }.";
  } catch (error) {
    return `No valid JSON: ${error instanceof Error ? error.message : "it cannot be read"}.`;
  }
}

/** Puts what the server found wrong beside the fields, and the rest at `root`. */
export function showFaults<T extends FieldValues>(
  error: unknown,
  names: readonly Path<T>[],
  setError: UseFormSetError<T>,
) {
  const problem = asApiError(error);
  let isPlaced = false;
  for (const fault of problem.faults) {
    const name = names.find(
      (each) => fault.path === each || fault.path.startsWith(`${each}.`) || fault.path.startsWith(`${each}[`),
    );
    if (!name) continue;
    const place = fault.path.slice(name.length).replace(/^\./, "");
    setError(name, { message: place ? `${place} ${fault.message}` : fault.message });
    isPlaced = true;
  }
  if (!isPlaced) setError("root", { message: problem.message });
}
