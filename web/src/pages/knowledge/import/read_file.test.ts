import { describe, expect, it } from "vitest";
import { agentOf, type Contents, isAgentId, readFile } from "./read_file";

const file = (name: string, text: string | Uint8Array) =>
  new File([text as BlobPart], name, { lastModified: Date.UTC(2026, 0, 31) });

describe("readFile", () => {
  it("reads the array of .agent-knowledge and names faults by line", async () => {
    const text = '[\n  {"id": "a", "content": "one"},\n  {"id": "b"},\n  {broken}\n]';
    const contents = await readFile(file("archivist.json", text));
    expect(contents.items).toMatchObject([{ id: "a", line: 2, text: '{"id": "a", "content": "one"}' }]);
    expect(contents.faults).toMatchObject([
      { line: 3, id: "b", reason: "content is missing" },
      { line: 4, id: "" },
    ]);
  });
  it("reads an object with agent and items", async () => {
    const text = '{"agent_id": "cook", "items": [{"id": "egg", "content": "8 minutes"}]}';
    expect(await readFile(file("x.json", text))).toMatchObject({ agentId: "cook", items: [{ id: "egg" }] });
  });
  it("reads JSON Lines", async () => {
    const contents = await readFile(file("x.jsonl", '{"id":"a","content":"1"}\n\nnonsense\n'));
    expect(contents.items).toHaveLength(1);
    expect(contents.faults).toMatchObject([{ line: 3 }]);
  });
  it("makes items of Markdown, with ids that come out the same again", async () => {
    const contents = await readFile(file("Guide Für Alle.md", "# Install\n\nfirst\n\n# Install\n\nsecond"));
    expect(contents.items.map((item) => item.id)).toEqual([
      "guide-fur-alle.install",
      "guide-fur-alle.install.2",
    ]);
    expect(JSON.parse(contents.items[0]?.text ?? "")).toEqual({
      id: "guide-fur-alle.install",
      content: "Install\n\nfirst",
      source: "Guide Für Alle.md",
      timestamp: "2026-01-31T00:00:00.000Z",
    });
  });
  it("gives no id twice", async () => {
    const contents = await readFile(file("a.md", "# 2\n\nx\n\n# 2\n\ny\n\n# 2.2\n\nz"));
    expect(new Set(contents.items.map((item) => item.id)).size).toBe(3);
  });
  it.each([
    ["a.json", '"text"', /neither a JSON array/],
    ["a.json", '{"a": 1}', /no array "items"/],
    ["a.json", "[1, 2", /ends before/],
    ["a.txt", " ", /empty/],
    ["a.pdf", new Uint8Array([0xff, 0xfe, 0x00]), /UTF-8/],
  ])("says why nothing can be read of %s %j", async (name, text, reason) => {
    await expect(readFile(file(name, text))).rejects.toThrow(reason);
  });
});

describe("agentOf", () => {
  const contents: Contents = { kind: "items", items: [], faults: [] };
  const choice = { known: ["cook"], preferred: undefined };
  it("takes what the file says, then its name", () => {
    expect(agentOf("x.json", { ...contents, agentId: "poet" }, choice)).toBe("poet");
    expect(agentOf("cook.md", { ...contents, kind: "markdown" }, choice)).toBe("cook");
    expect(agentOf("new_agent.json", contents, choice)).toBe("new_agent");
  });
  it("prefers the agent whose page the user comes from to a new one", () => {
    expect(agentOf("export.json", contents, { ...choice, preferred: "poet" })).toBe("poet");
  });
  it("leaves the choice open for documents", () => {
    expect(agentOf("notes.md", { ...contents, kind: "markdown" }, choice)).toBe("");
    expect(agentOf("My Notes.json", contents, choice)).toBe("");
  });
});

it("knows what an agent may be called", () => {
  expect(["a", "security_expert", "x-1"].every(isAgentId)).toBe(true);
  expect(["", "A", "-a", "auto", "a b", "a".repeat(51)].some(isAgentId)).toBe(false);
});
