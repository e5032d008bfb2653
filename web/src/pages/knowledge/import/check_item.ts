/** What of an item is wrong, as far as it can be said before it is sent. The server has the last word. */

export interface ImportItem {
  /** The JSON text of the item, as it is sent. */
  text: string;
  id: string;
  /** The beginning of its content, for the preview. */
  excerpt: string;
  /** In its file, from 1. */
  line: number;
}

export interface Fault {
  line: number;
  id: string;
  reason: string;
}

export const itemBytesMax = 15 * 2 ** 20;
/** In a request an item stands in an array in an object, and JSON may be 32 levels deep. */
const depthMax = 30;
const excerptMax = 160;

const encoder = new TextEncoder();
export const bytesOf = (text: string) => encoder.encode(text).length;

function isDeeper(value: unknown, levels: number): boolean {
  if (value === null || typeof value !== "object") return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}

function textFault(item: Record<string, unknown>, name: string, max: number): string | undefined {
  const value = item[name];
  if (value === undefined || value === null) return `${name} is missing`;
  if (typeof value !== "string") return `${name} must be a string`;
  if (value === "") return `${name} is empty`;
  if (value.length > max && [...value].length > max)
    return `${name} has more than ${max.toLocaleString("en")} characters`;
  return undefined;
}

function faultOf(item: Record<string, unknown>): string | undefined {
  const { category, relevance_score: relevance, metadata } = item;
  const required = textFault(item, "id", 255) ?? textFault(item, "content", 1_048_576);
  if (required) return required;
  if (category != null && textFault(item, "category", 50)) return textFault(item, "category", 50);
  if (relevance != null && !(typeof relevance === "number" && relevance >= 0 && relevance <= 100))
    return "relevance_score must be a number from 0 to 100";
  if (metadata != null && (typeof metadata !== "object" || Array.isArray(metadata)))
    return "metadata must be an object";
  return isDeeper(item, depthMax) ? `it is nested deeper than ${depthMax} levels` : undefined;
}

/** The item of a text, or what is wrong with it. */
export function checkItem(text: string, line: number): ImportItem | Fault {
  if (text === "") return { line, id: "", reason: "it is empty: there is a comma too many" };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { line, id: "", reason: `no valid JSON: ${(error as Error).message}` };
  }
  if (value === null || typeof value !== "object" || Array.isArray(value))
    return { line, id: "", reason: "it must be an object" };
  const item = value as Record<string, unknown>;
  const id = typeof item.id === "string" ? item.id : "";
  const reason = bytesOf(text) > itemBytesMax ? "it has more than 15 MiB" : faultOf(item);
  if (reason) return { line, id, reason };
  return { text, id, line, excerpt: String(item.content).slice(0, excerptMax) };
}

export const isFault = (item: ImportItem | Fault): item is Fault => "reason" in item;
