import { type RefObject, useEffect, useLayoutEffect, useRef } from "react";
import { placeOf, type TaskList } from "../task_list";

const rowPx = 36;
/** So near the top new rows come in at once. */
const topPx = rowPx / 2;

export interface View {
  isAtTop: boolean;
  /** Index of the last row on the screen. */
  lastRow: number;
}

/** Tells `view` where the list stands, and keeps what is looked at in its place when rows above come or go. */
export function useScroll(
  scroller: RefObject<HTMLDivElement | null>,
  view: RefObject<View>,
  list: TaskList | undefined,
  onTop: () => void,
): void {
  const anchor = useRef<{ id: string; index: number }>(undefined);
  const latest = useRef({ list, onTop });
  useEffect(() => {
    latest.current = { list, onTop };
  });
  const hasList = list !== undefined && list.rows.length > 0;

  // biome-ignore lint/correctness/useExhaustiveDependencies: the element comes with the first rows
  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const look = () => {
      const { scrollTop, clientHeight } = element;
      const wasAtTop = view.current.isAtTop;
      const isAtTop = scrollTop < topPx;
      view.current = { isAtTop, lastRow: Math.ceil((scrollTop + clientHeight) / rowPx) };
      const index = Math.floor(scrollTop / rowPx);
      const row = latest.current.list?.rows[index];
      anchor.current = row && !isAtTop ? { id: row.id, index } : undefined;
      if (isAtTop && !wasAtTop) latest.current.onTop();
    };
    look();
    // Before new rows are drawn: after that the answer would cost a layout.
    element.addEventListener("scroll", look, { passive: true, capture: true });
    return () => element.removeEventListener("scroll", look, { capture: true });
  }, [hasList]);

  const rows = list?.rows;
  useLayoutEffect(() => {
    const kept = anchor.current;
    if (!kept || !rows || !scroller.current) return;
    const moved = placeOf(rows, kept.id) - kept.index;
    if (moved === 0) return;
    kept.index += moved;
    scroller.current.scrollTop += moved * rowPx;
  }, [rows, scroller]);
}
