import { describe, expect, it } from "vitest";
import { readDetailSearch, readListSearch } from "./search";

const session = "01a20601-27c7-7a6a-a5a6-25b51012f04d";

describe("readListSearch", () => {
  it("takes what is valid and drops the rest", () => {
    expect(readListSearch({ q: "sec", status: "busy", page: 2 })).toEqual({ q: "sec", status: "busy" });
    expect(readListSearch({ q: "", status: "sleeping" })).toEqual({});
    expect(readListSearch({ q: { a: 1 } })).toEqual({});
  });

  it("takes a text that the router has read as a number", () => {
    expect(readListSearch({ q: 17 })).toEqual({ q: "17" });
  });
});

describe("readDetailSearch", () => {
  it("leaves the overview out, which is where one begins", () => {
    expect(readDetailSearch({ tab: "overview" })).toEqual({});
    expect(readDetailSearch({ tab: "nothing" })).toEqual({});
  });

  it("keeps what belongs to the tab only", () => {
    expect(readDetailSearch({ tab: "chat", session, range: "7d" })).toEqual({ tab: "chat", session });
    expect(readDetailSearch({ tab: "performance", session, range: "7d" })).toEqual({
      tab: "performance",
      range: "7d",
    });
    expect(readDetailSearch({ tab: "chat", session: "../users" })).toEqual({ tab: "chat" });
  });
});
