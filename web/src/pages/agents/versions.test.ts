import { describe, expect, it } from "vitest";
import type { Schemas } from "../../api/client";
import { versionsOf } from "./versions";

const event = (version: number, channel: string, data: Record<string, unknown>) =>
  ({
    channel,
    version,
    timestamp: `2026-01-01T00:00:0${version}Z`,
    data: { ...data, version, updated_at: `${version}` },
    metadata: { user_id: "u" },
  }) as unknown as Schemas["Event"];

describe("versionsOf", () => {
  it("has the newest first, each with what it changed", () => {
    const versions = versionsOf([
      event(1, "agent:created", { name: "A" }),
      event(2, "agent:updated", { name: "B" }),
      event(3, "agent:deleted", { name: "B" }),
    ]);
    expect(versions.map(({ version, deed }) => [version, deed])).toEqual([
      [3, "deleted"],
      [2, "changed"],
      [1, "created"],
    ]);
    expect(versions[1]?.changes).toEqual([{ path: "name", before: "A", after: "B" }]);
  });

  it("does not say what changed when the version before is not known", () => {
    expect(versionsOf([event(7, "agent:updated", { name: "B" })])[0]?.changes).toBeUndefined();
  });
});
