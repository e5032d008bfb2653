import { afterEach, beforeEach, expect, it, vi } from "vitest";

/** The server's end of a connection. */
class Socket {
  static readonly OPEN = 1;
  static all: Socket[] = [];
  readyState = Socket.OPEN;
  sent: Record<string, unknown>[] = [];
  onopen?: () => void;
  onmessage?: (message: { data: string }) => void;
  onclose?: (event: { code: number }) => void;

  constructor() {
    Socket.all.push(this);
  }
  send(text: string) {
    this.sent.push(JSON.parse(text) as Record<string, unknown>);
  }
  close(code = 1006) {
    this.readyState = 3;
    this.onclose?.({ code });
  }
  says(message: object) {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
}

const latest = () => Socket.all.at(-1) as Socket;
const sentOf = (type: string) => latest().sent.filter((message) => message.type === type);
const token = vi.fn(async () => "token");
const renewAfterRefusal = vi.fn(async () => false);
const loadMe = vi.fn(async () => undefined);

beforeEach(() => {
  vi.useFakeTimers();
  vi.resetModules();
  Socket.all = [];
  vi.stubGlobal("WebSocket", Socket);
  vi.doMock("./session", () => ({
    accessToken: token,
    sessionState: () => ({ phase: "signed-in", me: { permissions: ["agents:read"] } }),
    renewAfterRefusal,
    loadMe,
  }));
});

afterEach(() => {
  vi.useRealTimers();
  vi.doUnmock("./session");
});

async function connected() {
  const live = await import("./live");
  const heard: string[] = [];
  live.onEvents((events) => heard.push(...events.map((event) => event.event_id)));
  live.startLive();
  await opens();
  latest().says({ type: "authenticated", resume: "r0" });
  latest().says({ type: "subscribed", resume: "r1" });
  return { live, heard };
}

async function opens() {
  latest().onopen?.();
  await vi.advanceTimersByTimeAsync(0);
}

it("hands events on in batches and in their order", async () => {
  const { live, heard } = await connected();
  expect(live.connectionState().phase).toBe("live");
  expect(sentOf("authenticate")[0]).toEqual({ type: "authenticate", token: "token" });
  latest().says({ type: "event", data: { event_id: "a" }, resume: "r2" });
  latest().says({ type: "event", data: { event_id: "b" }, resume: "r3" });
  expect(heard).toEqual([]);
  await vi.advanceTimersByTimeAsync(200);
  expect(heard).toEqual(["a", "b"]);
  live.stopLive();
});

it("comes back where it was", async () => {
  const { live } = await connected();
  latest().says({ type: "event", data: { event_id: "a" }, resume: "r2" });
  latest().close();
  expect(live.connectionState().phase).toBe("lost");
  await vi.advanceTimersByTimeAsync(1000);
  expect(Socket.all).toHaveLength(2);
  await opens();
  expect(sentOf("authenticate")[0]).toMatchObject({ resume: "r2" });
  latest().says({ type: "authenticated" });
  latest().says({ type: "subscribed" });
  expect(live.connectionState().phase).toBe("live");
  live.stopLive();
});

it("keeps its place when it is cut again before the replay has come", async () => {
  const { live } = await connected();
  latest().close();
  await vi.advanceTimersByTimeAsync(1000);
  await opens();
  latest().says({ type: "authenticated", resume: "behind-the-gap" });
  latest().close();
  await vi.advanceTimersByTimeAsync(2000);
  await opens();
  expect(sentOf("authenticate")[0]).toMatchObject({ resume: "r1" });
  live.stopLive();
});

it("reads everything anew when what was missed cannot be told", async () => {
  const { queryClient } = await import("./client");
  const invalidate = vi.spyOn(queryClient, "invalidateQueries").mockResolvedValue();
  const { live } = await connected();
  latest().says({ type: "error", code: "resume_lost" });
  expect(invalidate).toHaveBeenCalledWith();
  live.stopLive();
});

it("does not come back after the user has gone", async () => {
  const { live } = await connected();
  live.stopLive();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(Socket.all).toHaveLength(1);
});

it("asks who is signed in when its credential counts no more", async () => {
  const { live } = await connected();
  latest().close(4401);
  expect(renewAfterRefusal).toHaveBeenCalledWith("token");
  live.stopLive();
});

it("notices that the user may do other things now", async () => {
  const { live } = await connected();
  latest().says({ type: "authenticated", user: { permissions: ["agents:read"] } });
  expect(loadMe).not.toHaveBeenCalled();
  latest().says({ type: "authenticated", user: { permissions: ["agents:read", "agents:write"] } });
  expect(loadMe).toHaveBeenCalled();
  live.stopLive();
});
