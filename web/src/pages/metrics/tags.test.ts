import { expect, test } from "vitest";
import { addTag, readTags, removeTag, tagFault } from "./tags";

test("tags are added, replaced by name and taken away", () => {
  expect(addTag(undefined, "status:failed")).toBe("status:failed");
  expect(addTag("status:failed,agent_id:a", "status:completed")).toBe("agent_id:a,status:completed");
  expect(removeTag("status:failed,agent_id:a", "status:failed")).toBe("agent_id:a");
  expect(removeTag("agent_id:a", "agent_id:a")).toBeUndefined();
});

test("a value may have colons", () => {
  expect(readTags("url:http://a:80,status:ok")).toEqual(["url:http://a:80", "status:ok"]);
  expect(readTags("nonsense,:value")).toEqual([]);
});

test("what is no pair is refused", () => {
  expect(tagFault("status:failed")).toBeUndefined();
  for (const tag of ["status", "status:", ":failed", "a:b,c:d"]) expect(tagFault(tag)).toBeDefined();
});
