/** What is said of an item of knowledge. */
import type { Schemas } from "../../api/client";

export type Item = Schemas["Knowledge"];

const titleMax = 120;
/** Beyond this the formatting of Markdown would hold up the page. */
const markdownMax = 100_000;

/** The first line that says something, without the marks of Markdown. */
export function titleOf({ content, id }: Pick<Item, "content" | "id">): string {
  const head = content.slice(0, 2000);
  const line = head
    .split("\n")
    .map((each) =>
      each
        .replace(/^[\s#>*`=-]+/, "")
        .replace(/[*`]+/g, "")
        .trim(),
    )
    .find((each) => /[\p{L}\p{N}]/u.test(each));
  if (!line) return id;
  return line.length > titleMax ? `${line.slice(0, titleMax).trimEnd()}…` : line;
}

/** Whether it was written in Markdown, so that formatting it helps: headings, fences, tables, links, nested marks. */
export function isMarkdown(content: string): boolean {
  if (content.length > markdownMax) return false;
  return /^(#{1,6} \S|```|\|.+\|\s*$)|\[[^\]\n]+\]\([^)\s]+\)|\*\*[^*\n]+\*\*/m.test(content);
}

/** Metadata without the tags, which have a field of their own. */
export function metadataOf({ metadata }: Pick<Item, "metadata">): Record<string, unknown> {
  const { tags: _, ...rest } = metadata as Record<string, unknown>;
  return rest;
}
