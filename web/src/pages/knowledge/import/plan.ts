/** Puts the items of a file into requests. */
import { bytesOf, type ImportItem } from "./check_item";

export interface Limits {
  itemsMax: number;
  /** A larger item goes alone. */
  bytesMax: number;
}

/** Well below what the server takes, so that each answer comes soon and progress is seen. */
const usual: Limits = { itemsMax: 250, bytesMax: 4 * 2 ** 20 };

/** Items of one id go together, in the order of the file, so that the server sees them side by side. */
export function planRequests(items: readonly ImportItem[], limits: Limits = usual): ImportItem[][] {
  const byId = new Map<string, ImportItem[]>();
  for (const item of items) {
    const same = byId.get(item.id);
    if (same) same.push(item);
    else byId.set(item.id, [item]);
  }
  const requests: ImportItem[][] = [];
  let bytes = 0;
  for (const item of [...byId.values()].flat()) {
    const size = bytesOf(item.text);
    const last = requests.at(-1);
    if (last && last.length < limits.itemsMax && bytes + size <= limits.bytesMax) {
      last.push(item);
      bytes += size;
    } else {
      requests.push([item]);
      bytes = size;
    }
  }
  return requests;
}

/** The items go as they are written: parsed and written again, large numbers would not be the same. */
export function importBody(agentId: string, file: string, items: readonly ImportItem[]): string {
  const texts = items.map((item) => item.text).join(",");
  return `{"agent_id":${JSON.stringify(agentId)},"file":${JSON.stringify(file)},"items":[${texts}]}`;
}
