import { formatCount } from "../../../lib/format";
import type { Fault, ImportItem } from "./check_item";

const itemsMax = 4;
const faultsMax = 50;

/** The first items, so that it is seen whether a file was read as it was meant. */
export function Preview({ items }: { items: readonly ImportItem[] }) {
  if (items.length === 0) return null;
  return (
    <ul aria-label="First items" className="flex flex-col text-xs">
      {items.slice(0, itemsMax).map((item) => (
        <li
          key={`${item.line}/${item.id}`}
          className="flex gap-3 border-t border-line/60 py-1 first:border-t-0"
        >
          <span className="w-40 shrink-0 truncate font-mono">{item.id}</span>
          <span className="truncate text-muted">{item.excerpt}</span>
        </li>
      ))}
      {items.length > itemsMax && (
        <li className="border-t border-line/60 py-1 text-muted">
          and {formatCount(items.length - itemsMax)} more
        </li>
      )}
    </ul>
  );
}

/** What is wrong, where, and why. */
export function Faults({ title, faults }: { title: string; faults: readonly Fault[] }) {
  if (faults.length === 0) return null;
  return (
    <details className="rounded-md border border-line bg-sunken" open={faults.length <= 5}>
      <summary className="cursor-pointer px-3 py-1.5 font-medium">
        {title}: {formatCount(faults.length)}
      </summary>
      <ul className="max-h-60 overflow-y-auto border-t border-line px-3 py-1.5 text-xs">
        {faults.slice(0, faultsMax).map((fault) => (
          <li key={`${fault.line}/${fault.id}/${fault.reason}`} className="py-0.5">
            <span className="text-muted">line {fault.line}</span>{" "}
            {fault.id && <span className="font-mono break-all">{fault.id}</span>} {fault.reason}
          </li>
        ))}
        {faults.length > faultsMax && (
          <li className="py-0.5 text-muted">and {formatCount(faults.length - faultsMax)} more</li>
        )}
      </ul>
    </details>
  );
}
