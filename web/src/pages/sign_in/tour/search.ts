/** Where in the tour one is; a task says that it was asked, so that a reload goes on watching. */

export interface TourSearch {
  step?: "ask";
  task?: string;
}

export const stepNames = ["What this is", "Ask", "Watch", "Next"] as const;

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Drops what is invalid. */
export function readTourSearch(search: Record<string, unknown>): TourSearch {
  if (typeof search.task === "string" && uuid.test(search.task)) return { task: search.task };
  return search.step === "ask" ? { step: "ask" } : {};
}
