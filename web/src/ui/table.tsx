import { useVirtualizer } from "@tanstack/react-virtual";
import type { CSSProperties, FocusEvent, KeyboardEvent, ReactNode, RefObject } from "react";
import { memo, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { cx } from "../lib/classes";
import { RowSlots } from "./row_slots";

export interface Column<T> {
  key: string;
  name: ReactNode;
  /** A track of CSS grid: "8rem", "minmax(12rem, 1fr)". */
  width: string;
  /** A long table shows other rows with the same elements: who remembers something remembers of which row. */
  render: (row: T) => ReactNode;
  /** Not on phones. */
  isExtra?: boolean;
  isNumber?: boolean;
}

interface TableProps<T> {
  /** What is listed, for those who hear the page. */
  label: string;
  rows: readonly T[];
  columns: Column<T>[];
  rowKey: (row: T) => string;
  /** Makes rows clickable; the row's own link or button does the same for the keyboard. */
  onOpen?: (row: T) => void;
}

interface LongTableProps<T> extends TableProps<T> {
  /** Called when the end of what is loaded comes near. */
  onEnd?: () => void;
  isLoadingMore?: boolean;
  /** Of all rows there are, when known; `rows` are the first of them. */
  total?: number;
  /** The element that scrolls, for who follows or moves it. */
  scrollerRef?: RefObject<HTMLDivElement | null>;
}

const rowPx = 36;
/** Rows below the last visible one at which more is loaded: a turn of the wheel is 40. */
const endRows = 120;

const isPhone = () => window.matchMedia("(max-width: 639px)").matches;

function shown<T>(columns: Column<T>[]): Column<T>[] {
  return isPhone() ? columns.filter((column) => !column.isExtra) : columns;
}

function Cells<T>({ row, columns }: { row: T; columns: Column<T>[] }) {
  return columns.map((column) => (
    <div
      key={column.key}
      role="cell"
      className={cx(
        "min-w-0 truncate px-3 first:pl-4 last:pr-4",
        column.isNumber && "text-right tabular-nums",
      )}
    >
      {column.render(row)}
    </div>
  ));
}

function Head<T>({ columns, template }: { columns: Column<T>[]; template: string }) {
  return (
    <div
      role="row"
      style={{ gridTemplateColumns: template }}
      className="sticky top-0 z-10 grid h-9 items-center border-b border-line bg-surface text-xs font-medium text-muted"
    >
      {columns.map((column) => (
        <div
          key={column.key}
          role="columnheader"
          className={cx("truncate px-3 first:pl-4 last:pr-4", column.isNumber && "text-right")}
        >
          {column.name}
        </div>
      ))}
    </div>
  );
}

const rowClasses = (canOpen: boolean) =>
  cx(
    "grid items-center border-b border-line/60",
    canOpen && "cursor-pointer hover:bg-hover focus-within:bg-hover",
  );

/** Arrow keys go from row to row, by the first link or button of each. */
function moveFocus(event: KeyboardEvent<HTMLElement>) {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const row = (event.target as HTMLElement).closest<HTMLElement>("[data-row]");
  const next = event.key === "ArrowDown" ? row?.nextElementSibling : row?.previousElementSibling;
  const target = next?.querySelector<HTMLElement>("a, button");
  if (!target) return;
  event.preventDefault();
  target.focus();
}

function opens<T>(row: T, onOpen?: (row: T) => void) {
  return (event: { target: EventTarget }) => {
    // A control within the row does what it says, and a selection is no click.
    if ((event.target as HTMLElement).closest("a, button, input, select, label")) return;
    if (!window.getSelection()?.isCollapsed) return;
    onOpen?.(row);
  };
}

/** A table of up to a few hundred rows, as high as they are. */
export function Table<T>({ label, rows, columns, rowKey, onOpen }: TableProps<T>) {
  const visible = shown(columns);
  const template = visible.map((column) => column.width).join(" ");
  return (
    // Takes the focus, so that what is wider than a phone can be scrolled by keyboard.
    <div tabIndex={0} className="overflow-x-auto -outline-offset-2">
      <div role="table" aria-label={label} className="min-w-fit" onKeyDown={moveFocus}>
        <Head columns={visible} template={template} />
        {rows.map((row) => (
          <div
            key={rowKey(row)}
            role="row"
            data-row
            onClick={opens(row, onOpen)}
            style={{ gridTemplateColumns: template, minHeight: rowPx }}
            className={cx(rowClasses(Boolean(onOpen)), "last:border-b-0")}
          >
            <Cells row={row} columns={visible} />
          </div>
        ))}
      </div>
    </div>
  );
}

interface LongRowProps<T> {
  row: T;
  rowKey: string;
  /** From 0. */
  index: number;
  topPx: number;
  columns: Column<T>[];
  onOpen?: (row: T) => void;
}

function LongRow<T>({ row, rowKey, index, topPx, columns, onOpen }: LongRowProps<T>) {
  return (
    <div
      role="row"
      data-row={rowKey}
      aria-rowindex={index + 2}
      onClick={opens(row, onOpen)}
      style={{ top: topPx }}
      className={cx(
        rowClasses(Boolean(onOpen)),
        // What is in a row changes nothing outside of it.
        "absolute inset-x-0 h-9 contain-strict [grid-template-columns:var(--columns)]",
      )}
    >
      <Cells row={row} columns={columns} />
    </div>
  );
}

/** Scrolling draws only the rows that come into sight. */
const MemoRow = memo(LongRow) as typeof LongRow;

/** Whoever had the focus in a row that has left keeps it in the table, and not in the row that took its place. */
function useFocusOfRow(scroller: RefObject<HTMLDivElement | null>, keys: readonly string[]) {
  const focused = useRef<string>(undefined);
  useLayoutEffect(() => {
    if (focused.current !== undefined && !keys.includes(focused.current))
      scroller.current?.focus({ preventScroll: true });
  });
  return {
    onFocus: ({ target }: FocusEvent<HTMLElement>) => {
      focused.current = target.closest<HTMLElement>("[data-row]")?.dataset.row;
    },
    onBlur: () => {
      focused.current = undefined;
    },
  };
}

/** A table of any length: only what is on the screen is drawn. Fills its parent, which must have a height. */
export function LongTable<T>({
  label,
  rows,
  columns,
  rowKey,
  onOpen,
  onEnd,
  isLoadingMore,
  total,
  scrollerRef,
}: LongTableProps<T>) {
  const ownRef = useRef<HTMLDivElement>(null);
  const scroller = scrollerRef ?? ownRef;
  // Rows are of one height, so the virtualizer needs no keys, which it would ask of every row after each change.
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowPx,
    overscan: 8,
  });
  const items = virtual.getVirtualItems().filter((item) => item.index < rows.length);
  const last = items.at(-1)?.index ?? -1;
  useEffect(() => {
    if (last >= rows.length - endRows) onEnd?.();
  }, [last, rows.length, onEnd]);

  const [slots] = useState(() => new RowSlots());
  const keys = items.map((item) => rowKey(rows[item.index] as T));
  const places = slots.place(keys);
  const focusOfRow = useFocusOfRow(scroller, keys);

  const visible = useMemo(() => shown(columns), [columns]);
  const template = visible.map((column) => column.width).join(" ");
  return (
    <div
      ref={scroller}
      tabIndex={0}
      className="h-full overflow-auto -outline-offset-2"
      data-testid="long-table"
    >
      <div
        role="table"
        aria-label={label}
        aria-rowcount={(total ?? rows.length) + 1}
        className="min-w-fit"
        onKeyDown={moveFocus}
      >
        <Head columns={visible} template={template} />
        <div
          role="rowgroup"
          className="relative"
          style={{ height: virtual.getTotalSize(), "--columns": template } as CSSProperties}
          {...focusOfRow}
        >
          {items.map((item, place) => (
            <MemoRow
              key={places[place]}
              row={rows[item.index] as T}
              rowKey={keys[place] as string}
              index={item.index}
              topPx={item.start}
              columns={visible}
              onOpen={onOpen}
            />
          ))}
        </div>
      </div>
      {isLoadingMore && <div className="p-3 text-center text-xs text-muted">Loading more…</div>}
    </div>
  );
}
