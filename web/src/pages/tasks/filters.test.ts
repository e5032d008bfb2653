import { describe, expect, it } from "vitest";
import { filtersOf, isFiltered, queryOf, readSearch } from "./filters";

describe("filters in the address", () => {
  it("keeps what is known and drops the rest", () => {
    expect(
      readSearch({
        status: "failed,nonsense,pending",
        priority: 3,
        agent: "writer",
        from: "yesterday",
        x: 1,
      }),
    ).toEqual({ status: "pending,failed", agent: "writer" });
  });

  it("takes numbers and words that the router reads as values for text", () => {
    expect(readSearch({ q: 17 })).toEqual({ q: "17" });
    expect(readSearch({ q: true, create: "true" })).toEqual({ q: "true", create: true });
    expect(readSearch({ q: "  " })).toEqual({});
  });

  it("becomes a query of the API", () => {
    const filters = filtersOf({ status: "pending,failed", q: "seal", from: "2026-01-01T00:00:00.000Z" });
    expect(queryOf(filters)).toMatchObject({
      status: ["pending", "failed"],
      priority: undefined,
      q: "seal",
      created_from: "2026-01-01T00:00:00.000Z",
    });
    expect(isFiltered(filters)).toBe(true);
    expect(isFiltered(filtersOf({ create: true }))).toBe(false);
  });
});
