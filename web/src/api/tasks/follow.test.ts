import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { ApiError, offline } from "../problem";
import { follow } from "./follow";

const { authorizedFetch } = vi.hoisted(() => ({ authorizedFetch: vi.fn() }));
vi.mock("../client", () => ({ authorizedFetch }));

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
  authorizedFetch.mockReset();
});

const stream = (...events: [name: string, data: object][]) =>
  new Response(events.map(([name, data]) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`).join(""));

async function heardWhile(...answers: (Response | Error)[]) {
  for (const answer of answers)
    if (answer instanceof Error) authorizedFetch.mockRejectedValueOnce(answer);
    else authorizedFetch.mockResolvedValueOnce(answer);
  const heard: string[] = [];
  const followed = follow(
    "1",
    {
      onTask: (task) => heard.push(task.status),
      onPiece: (piece) => heard.push(piece.text),
      onLost: () => heard.push("lost"),
    },
    new AbortController().signal,
  ).catch((error: unknown) => heard.push(`failed: ${(error as ApiError).code}`));
  await vi.runAllTimersAsync();
  await followed;
  return heard;
}

it("follows a task to its end", async () => {
  const heard = await heardWhile(
    stream(
      ["task", { status: "started" }],
      ["text", { answer: 1, step: 1, text: "One " }],
      ["unknown", {}],
      ["end", { status: "completed" }],
      ["text", { answer: 2, step: 1, text: "never" }],
    ),
  );
  expect(heard).toEqual(["started", "One ", "completed"]);
});

it("takes the stream up again when it breaks off, and while the server is away", async () => {
  const heard = await heardWhile(
    stream(["task", { status: "started" }]),
    offline(),
    new ApiError(500, {}),
    stream(["end", { status: "failed" }]),
  );
  expect(heard).toEqual(["started", "lost", "lost", "lost", "failed"]);
});

it("says when there is no such task", async () => {
  expect(await heardWhile(new ApiError(404, { code: "not_found" }))).toEqual(["failed: not_found"]);
});
