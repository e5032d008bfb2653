/** The latest events, newest first, of which a page shows those that pass its filter. */
import type { LiveEvent } from "../../api/live";
import { type EventFilter, matches } from "./filter";

export interface TailView {
  /** Newest first. */
  rows: LiveEvent[];
  /** Events that pass the filter and came since the view is held. */
  waiting: number;
  isHeld: boolean;
}

/** Keeps the last `capacity` of what is added, at the same cost for each. */
export class Ring<T> {
  private readonly slots: T[] = [];
  private next = 0;

  constructor(private readonly capacity: number) {}

  add(item: T): void {
    this.slots[this.next] = item;
    this.next = (this.next + 1) % this.capacity;
  }

  newestFirst(): T[] {
    return [...this.slots.slice(this.next), ...this.slots.slice(0, this.next)].reverse();
  }
}

export class Tail {
  private recent: Ring<LiveEvent>;
  private filter: EventFilter = { channels: [] };
  /** Newest first: what came while the view was held. */
  private pending: LiveEvent[] = [];
  private view: TailView = { rows: [], waiting: 0, isHeld: false };
  private readonly listeners = new Set<() => void>();

  /** `capacity`: how many are kept, and how many are shown at most. */
  constructor(private readonly capacity: number) {
    this.recent = new Ring(capacity);
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  current = (): TailView => this.view;

  add(events: readonly LiveEvent[]): void {
    for (const event of events) this.recent.add(event);
    const passing = events.filter((event) => matches(event, this.filter));
    if (passing.length === 0) return;
    if (this.view.isHeld) {
      this.pending = this.before(passing, this.pending);
      this.become({ waiting: this.view.waiting + passing.length });
    } else {
      this.become({ rows: this.before(passing, this.view.rows) });
    }
  }

  /** Shows what is kept and passes, also when the view is held. */
  show(filter: EventFilter): void {
    this.filter = filter;
    this.pending = [];
    const rows = this.recent.newestFirst().filter((event) => matches(event, filter));
    this.become({ rows, waiting: 0 });
  }

  hold(isHeld: boolean): void {
    if (isHeld === this.view.isHeld) return;
    const rows = [...this.pending, ...this.view.rows].slice(0, this.capacity);
    this.pending = [];
    this.become({ rows, waiting: 0, isHeld });
  }

  /** Forgets everything, as for another user. */
  clear(): void {
    this.recent = new Ring(this.capacity);
    this.pending = [];
    this.become({ rows: [], waiting: 0, isHeld: false });
  }

  private before(events: readonly LiveEvent[], rows: readonly LiveEvent[]): LiveEvent[] {
    return [...[...events].reverse(), ...rows].slice(0, this.capacity);
  }

  private become(change: Partial<TailView>) {
    this.view = { ...this.view, ...change };
    for (const listener of this.listeners) listener();
  }
}
