/** What has come since a list of events is shown, newest first, and how the log before it goes on below. */
import type { LiveEvent } from "../../api/live";
import { type EventFilter, matches } from "./filter";

export interface TailView {
  /** Newest first. */
  rows: LiveEvent[];
  /** Events that came since the view is held. */
  waiting: number;
  isHeld: boolean;
}

export class Tail {
  /** Newest first: what came while the view was held. */
  private pending: LiveEvent[] = [];
  private view: TailView = { rows: [], waiting: 0, isHeld: false };
  private readonly listeners = new Set<() => void>();

  /** `capacity`: how many are kept. */
  constructor(
    private readonly filter: EventFilter,
    private readonly capacity: number,
  ) {}

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  current = (): TailView => this.view;

  add(events: readonly LiveEvent[]): void {
    const passing = events.filter((event) => matches(event, this.filter));
    if (passing.length === 0) return;
    if (this.view.isHeld) {
      this.pending = this.before(passing, this.pending);
      this.become({ waiting: this.view.waiting + passing.length });
    } else {
      this.become({ rows: this.before(passing, this.view.rows) });
    }
  }

  hold(isHeld: boolean): void {
    if (isHeld === this.view.isHeld) return;
    const rows = [...this.pending, ...this.view.rows].slice(0, this.capacity);
    this.pending = [];
    this.become({ rows, waiting: 0, isHeld });
  }

  private before(events: readonly LiveEvent[], rows: readonly LiveEvent[]): LiveEvent[] {
    return [...[...events].reverse(), ...rows].slice(0, this.capacity);
  }

  private become(change: Partial<TailView>) {
    this.view = { ...this.view, ...change };
    for (const listener of this.listeners) listener();
  }
}

/**
 * The log below what came live, nothing twice. `isCut`: the oldest of `live` were let go, and pages that were read before
 * or after that go on where it ends.
 */
export function joined(
  live: readonly LiveEvent[],
  older: readonly LiveEvent[],
  isCut: boolean,
): readonly LiveEvent[] {
  if (live.length === 0) return older;
  const known = new Set(live.map((event) => event.event_id));
  const end = isCut ? (live.at(-1)?.seq ?? 0) : Number.POSITIVE_INFINITY;
  return [...live, ...older.filter((event) => event.seq < end && !known.has(event.event_id))];
}
