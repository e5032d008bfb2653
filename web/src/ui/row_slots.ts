/**
 * Which row of a long table stands in which of its places in the document. A row that comes into sight takes the place
 * of one that left, so that elements are changed and not made anew: most of what scrolling costs. Rows that stay keep
 * their places, and the places stand in the order of the rows, as keyboard and screen readers go through them.
 */
export class RowSlots {
  #slots: { slot: number; key: string }[] = [];
  #made = 0;

  /** The places of the rows in sight, in their order. The same keys have the same places. */
  place(keys: readonly string[]): number[] {
    const inSight = new Set(keys);
    const kept = new Map(
      this.#slots.filter(({ key }) => inSight.has(key)).map(({ slot, key }) => [key, slot]),
    );
    const free = this.#slots.filter(({ key }) => !inSight.has(key)).map(({ slot }) => slot);
    // Above rows that stay, new places are cheaper: React would move every row below a place that goes up.
    let isBelowKept = kept.size === 0;
    this.#slots = keys.map((key) => {
      const slot = kept.get(key);
      isBelowKept ||= slot !== undefined;
      return { key, slot: slot ?? (isBelowKept ? free.shift() : undefined) ?? this.#made++ };
    });
    return this.#slots.map(({ slot }) => slot);
  }
}
