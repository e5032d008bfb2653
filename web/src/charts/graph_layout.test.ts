import { expect, test } from "vitest";
import { placeNodes } from "./graph_layout";

const node = (id: string) => ({ id, widthPx: 100, heightPx: 40 });

test("nodes stand to the right of those that lead to them, and do not overlap", () => {
  const placed = placeNodes(
    [node("gateway"), node("auth"), node("tasks"), node("database")],
    [
      { from: "gateway", to: "auth" },
      { from: "gateway", to: "tasks" },
      { from: "auth", to: "database" },
      { from: "tasks", to: "database" },
    ],
  );
  const x = (id: string) => placed.at.get(id)?.x ?? Number.NaN;
  const y = (id: string) => placed.at.get(id)?.y ?? Number.NaN;
  expect(x("auth")).toBeGreaterThanOrEqual(x("gateway") + 100);
  expect(x("auth")).toBe(x("tasks"));
  expect(x("database")).toBeGreaterThanOrEqual(x("auth") + 100);
  expect(Math.abs(y("auth") - y("tasks"))).toBeGreaterThanOrEqual(40);
  expect(placed.widthPx).toBeGreaterThanOrEqual(x("database") + 100);
});

test("edges in a circle, to itself and to nothing do no harm", () => {
  const edges = [
    { from: "a", to: "b" },
    { from: "b", to: "a" },
    { from: "a", to: "a" },
    { from: "a", to: "gone" },
  ];
  expect([...placeNodes([node("a"), node("b")], edges).at.keys()]).toEqual(["a", "b"]);
  expect(placeNodes([], edges).at.size).toBe(0);
});
