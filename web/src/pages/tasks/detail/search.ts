export const detailTabs = ["answer", "trace", "events", "request"] as const;
export type DetailTab = (typeof detailTabs)[number];

/** Without a tab it is the answer. */
export interface DetailSearch {
  tab?: Exclude<DetailTab, "answer">;
}

export function readDetailSearch(search: Record<string, unknown>): DetailSearch {
  const tab = detailTabs.find((each) => each === search.tab);
  return tab && tab !== "answer" ? { tab } : {};
}
