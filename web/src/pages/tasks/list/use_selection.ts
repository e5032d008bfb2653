import { useMemo, useRef, useState } from "react";
import { placeOf } from "../task_list";
import type { TaskRow } from "../task_row";

/** More are not changed at once: a mistake would be too large. */
export const selectedMax = 1000;

export interface Selection {
  ids: ReadonlySet<string>;
  isAll: boolean;
  /** `isRange`: all from the one that was chosen last. */
  toggle: (id: string, isRange: boolean) => void;
  toggleAll: () => void;
  clear: () => void;
}

function rangeOf(rows: readonly TaskRow[], from: string, to: string): string[] {
  const places = [placeOf(rows, from), placeOf(rows, to)];
  return rows.slice(Math.min(...places), Math.max(...places) + 1).map((row) => row.id);
}

const capped = (ids: Iterable<string>) => new Set([...ids].slice(0, selectedMax));

/** Which rows are chosen; those that have left the list are not any more. */
export function useSelection(rows: readonly TaskRow[]): Selection {
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set());
  const latestRows = useRef(rows);
  latestRows.current = rows;
  const lastId = useRef<string>(undefined);
  const allCount = Math.min(rows.length, selectedMax);
  const isAll = ids.size > 0 && ids.size >= allCount;
  return useMemo(
    () => ({
      ids,
      isAll,
      toggle: (id, isRange) => {
        const next = new Set(ids);
        if (isRange && lastId.current) {
          for (const each of rangeOf(latestRows.current, lastId.current, id)) next.add(each);
        } else if (!next.delete(id)) next.add(id);
        lastId.current = id;
        setIds(capped(next));
      },
      toggleAll: () => setIds(isAll ? new Set() : capped(latestRows.current.map((row) => row.id))),
      clear: () => setIds(new Set()),
    }),
    [ids, isAll],
  );
}
