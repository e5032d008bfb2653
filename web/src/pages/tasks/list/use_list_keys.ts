import { type RefObject, useEffect, useRef } from "react";

interface ListKeys {
  scroller: RefObject<HTMLDivElement | null>;
  onSearch: () => void;
  onCreate: () => void;
  /** Space on a row. */
  onPeek: (id: string) => void;
}

const writing = "input:not([type=checkbox]), textarea, select, [contenteditable], [role=dialog], [role=menu]";

function focusFirstRow(scroller: HTMLElement): boolean {
  const { top } = scroller.getBoundingClientRect();
  const links = [...scroller.querySelectorAll<HTMLElement>("[data-row] a")];
  // The head of the table covers the first row's height.
  const first = links.find((link) => link.getBoundingClientRect().top >= top + 36);
  first?.focus();
  return first !== undefined;
}

/** The keys of a list: `/` searches, `c` creates, arrows go into the list, Space looks at a row. */
export function useListKeys(keys: ListKeys): void {
  const latest = useRef(keys);
  useEffect(() => {
    latest.current = keys;
  });
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (target.closest(writing) || document.querySelector("[role=dialog]")) return;
      const { scroller, onSearch, onCreate, onPeek } = latest.current;
      const isOutside = target === document.body || target === scroller.current || target.id === "content";
      const peeked = target.dataset.task;
      if (event.key === "/") onSearch();
      else if (event.key === "c") onCreate();
      else if (event.key === " " && peeked) onPeek(peeked);
      else if (event.key === "ArrowDown" && isOutside && scroller.current) {
        if (!focusFirstRow(scroller.current)) return;
      } else return;
      event.preventDefault();
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, []);
}
