/** What a page says, to notice when its picture in docs/ shows something else. */
import type { Page } from "playwright-core";

/** The words in sight, each once, without numbers and names of things: those differ from run to run. */
export async function wordsOf(page: Page): Promise<string> {
  // biome-ignore lint/performance/useDomNodeTextContent: what is not in sight does not count
  const text = await page.locator("body").innerText();
  const words = text.split(/\s+/).filter((word) => /^[A-Za-z]{2,}[.,:?]?$/.test(word));
  return [...new Set(words)].sort().join(" ");
}

/** How much of both is the same, 0 to 1. */
export function likeness(some: string, others: string): number {
  const [one, other] = [some.split(" "), others.split(" ")];
  const shared = one.filter((word) => other.includes(word));
  return shared.length / new Set([...one, ...other]).size;
}
