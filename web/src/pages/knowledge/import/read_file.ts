/** What a file holds that can be imported. */
import { checkItem, type Fault, type ImportItem, isFault } from "./check_item";
import { cutMembers, cutParts, lineCounter, type Part } from "./cut_json";
import { splitText } from "./split_text";

export type Kind = "items" | "lines" | "markdown" | "text";

export interface Contents {
  kind: Kind;
  /** As the file itself says. */
  agentId?: string;
  items: ImportItem[];
  faults: Fault[];
}

/** As the command line takes. */
export const fileBytesMax = 64 * 2 ** 20;

const slug = /^[a-z0-9][a-z0-9_-]{0,49}$/;
const reserved = ["auto", "execute"];

export const isAgentId = (text: string) => slug.test(text) && !reserved.includes(text);

export const stemOf = (name: string) => name.replace(/\.[^.]+$/, "");

function extensionOf(name: string): string {
  return /\.([^.]+)$/.exec(name)?.[1]?.toLowerCase() ?? "";
}

function sorted(kind: Kind, all: (ImportItem | Fault)[], agentId?: string): Contents {
  return {
    kind,
    agentId,
    items: all.filter((each): each is ImportItem => !isFault(each)),
    faults: all.filter(isFault),
  };
}

function checkParts(text: string, parts: Part[]) {
  const lineOf = lineCounter(text);
  return parts.map((part) => checkItem(part.text, lineOf(part.at)));
}

/** The list itself, as in .agent-knowledge, or an object with the list and its agent, as the API takes. */
function readJson(text: string): Contents {
  const open = text.search(/\S/);
  if (text[open] === "[") return sorted("items", checkParts(text, cutParts(text, open).parts));
  if (text[open] !== "{") throw new Error("It is neither a JSON array of items nor an object with one.");
  const members = cutMembers(text, open);
  const list = members.get("items") ?? members.get("knowledge");
  if (!list?.text.startsWith("[")) throw new Error('The object has no array "items".');
  const agentId: unknown = JSON.parse(members.get("agent_id")?.text ?? "null");
  return sorted(
    "items",
    checkParts(text, cutParts(text, list.at).parts),
    typeof agentId === "string" ? agentId : undefined,
  );
}

function readLines(text: string): Contents {
  const all = text
    .split("\n")
    .map((line, index) => ({ text: line.trim(), line: index + 1 }))
    .filter((line) => line.text !== "")
    .map((line) => checkItem(line.text, line.line));
  return sorted("lines", all);
}

function slugOf(text: string): string {
  return text
    .normalize("NFKD")
    .toLowerCase()
    .replace(/\p{M}/gu, "")
    .replace(/[^\p{L}\p{N}]+/gu, "-")
    .replace(/^-|-$/g, "")
    .slice(0, 60);
}

/**
 * Ids follow from file and heading, and the time of the file is theirs: what is imported again after the file was
 * changed takes the place of what was there.
 */
function readText(text: string, name: string, lastModified: number, kind: "markdown" | "text"): Contents {
  const taken = new Set<string>();
  const all = splitText(text, kind === "markdown").map((section) => {
    const heading = section.path.at(-1);
    const base = [slugOf(stemOf(name)), heading ? slugOf(heading) : ""].filter(Boolean).join(".") || "text";
    let id = base;
    for (let count = 2; taken.has(id); ++count) id = `${base}.${count}`;
    taken.add(id);
    const title = section.path.join(" > ");
    const item = {
      id,
      content: title ? `${title}\n\n${section.text}` : section.text,
      source: name,
      timestamp: new Date(lastModified).toISOString(),
    };
    return checkItem(JSON.stringify(item), section.line);
  });
  return sorted(kind, all);
}

/** Throws Error, saying why nothing can be read of it. */
export async function readFile(file: File): Promise<Contents> {
  if (file.size > fileBytesMax) throw new Error("It has more than 64 MB; cut it into several files.");
  const bytes = await file.arrayBuffer();
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Error("It is no text in UTF-8. Of documents as PDF or Word, save the text.");
  }
  if (text.trim() === "") throw new Error("It is empty.");
  switch (extensionOf(file.name)) {
    case "json":
      return readJson(text);
    case "jsonl":
    case "ndjson":
      return readLines(text);
    case "md":
    case "markdown":
      return readText(text, file.name, file.lastModified, "markdown");
    default:
      return readText(text, file.name, file.lastModified, "text");
  }
}

interface AgentChoice {
  known: readonly string[];
  /** The one whose page the user comes from. */
  preferred: string | undefined;
}

/** Whose knowledge a file is: as it says itself, else by its name, as in .agent-knowledge. Empty: to be chosen. */
export function agentOf(name: string, contents: Contents, { known, preferred }: AgentChoice): string {
  if (contents.agentId) return contents.agentId;
  const stem = stemOf(name);
  if (known.includes(stem)) return stem;
  if (preferred) return preferred;
  return contents.kind === "items" && isAgentId(stem) ? stem : "";
}
