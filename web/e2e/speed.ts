/**
 * Measures what web/README.md promises, on this machine, and prints a table: `npm run speed`. Nothing fails here: a slow
 * day is no defect. Run it when nothing else runs.
 */
import type { Browser, Page } from "playwright-core";
import { launch, Visitor } from "./support/browser";
import { Server } from "./support/server";

const rows = 100_000;
const burstPerSecond = 1000;
const burstSeconds = 10;
const rounds = 5;
const figures: [what: string, value: string][] = [];

const say = (what: string, value: string) => {
  figures.push([what, value]);
  console.log(`${what}: ${value}`);
};
const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Counts what keeps the page from answering: tasks over 50 ms, and the longest wait for a frame. */
async function watch(
  page: Page,
): Promise<() => Promise<{ longTasks: number; longestMs: number; frameMs: number }>> {
  await page.evaluate(() => {
    const seen = { longTasks: 0, longestMs: 0, frameMs: 0, on: true };
    Object.assign(window, { seen });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        ++seen.longTasks;
        seen.longestMs = Math.max(seen.longestMs, entry.duration);
      }
    }).observe({ type: "longtask" });
    let last = performance.now();
    const frame = (now: number) => {
      seen.frameMs = Math.max(seen.frameMs, now - last);
      last = now;
      if (seen.on) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
  return () =>
    page.evaluate(
      () => (window as unknown as { seen: { longTasks: number; longestMs: number; frameMs: number } }).seen,
    );
}

const told = (seen: { longTasks: number; longestMs: number; frameMs: number }) =>
  `${seen.longTasks} tasks over 50 ms${seen.longTasks ? ` (longest ${Math.round(seen.longestMs)} ms)` : ""}, longest frame ${Math.round(seen.frameMs)} ms`;

async function firstLoad(browser: Browser, server: Server) {
  const visitor = await Visitor.arrive(browser, server);
  await visitor.enter();
  const session = await visitor.context.newCDPSession(visitor.page);
  await session.send("Network.enable");
  const times: number[] = [];
  const isScript = new Set<string>();
  let bytes = 0;
  session.on(
    "Network.responseReceived",
    ({ requestId, type }) => type === "Script" && isScript.add(requestId),
  );
  session.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    if (isScript.has(requestId)) bytes += encodedDataLength;
  });
  for (let round = 0; round < rounds; ++round) {
    await session.send("Network.clearBrowserCache");
    bytes = 0;
    await visitor.page.reload();
    await visitor.page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
    times.push(await visitor.page.evaluate(() => performance.now()));
    await visitor.isLive();
    await visitor.page.waitForLoadState("networkidle").catch(() => undefined);
  }
  say("script of the overview, over the wire", `${Math.round(bytes / 1024)} kB (aim 250)`);
  say(
    "reload without cache until the overview can be used",
    `${Math.round(median(times))} ms, ${rounds} rounds (aim 1000)`,
  );
  await visitor.leave();
}

async function fill(server: Server) {
  await server.api("POST", "/agents", { id: "archive", name: "Archive", specialization: "archives" });
  await server.api("PUT", "/agents/archive/status?status=offline");
  let left = rows;
  const begun = Date.now();
  const work = async () => {
    while (left-- > 0)
      await server.api("POST", "/agents/archive/tasks", { description: `File the letter number ${left}` });
  };
  await Promise.all(Array.from({ length: 32 }, work));
  say(`${rows.toLocaleString("en")} tasks through the API`, `${Math.round((Date.now() - begun) / 1000)} s`);
}

async function longTable(browser: Browser, server: Server) {
  const visitor = await Visitor.arrive(browser, server);
  const { page } = visitor;
  await visitor.enter();
  await page.goto("/tasks");
  await page.getByTestId("long-table").getByRole("row").nth(5).waitFor();
  await pause(1000);
  const seen = await watch(page);
  await page.getByTestId("long-table").hover();
  for (let step = 0; step < 300; ++step) {
    await page.mouse.wheel(0, 1500);
    await pause(16);
  }
  say("table of 100,000 tasks, 450,000 px by wheel", told(await seen()));
  const toEnd = await watch(page);
  for (let step = 0; step < 60; ++step) {
    await page.getByTestId("long-table").press("End");
    await pause(100);
  }
  say("the same, to its end by the End key, 60 times", told(await toEnd()));
  await visitor.leave();
}

async function burst(browser: Browser, server: Server, path: string) {
  const visitor = await Visitor.arrive(browser, server);
  const { page } = visitor;
  await visitor.enter();
  await page.goto(path);
  await visitor.isLive();
  await pause(1500);
  const seen = await watch(page);
  const begun = Date.now();
  let sent = 0;
  const work = async () => {
    while (sent < burstPerSecond * burstSeconds) {
      const due = begun + (sent++ * 1000) / burstPerSecond;
      if (due > Date.now()) await pause(due - Date.now());
      await server.api("POST", "/agents/archive/tasks", { description: "One of many" });
    }
  };
  await Promise.all(Array.from({ length: 24 }, work));
  const rate = Math.round(sent / ((Date.now() - begun) / 1000));
  say(`${rate} events/s for ${burstSeconds} s at ${path}`, told(await seen()));
  await visitor.leave();
}

const server = await new Server().start();
const browser = await launch();
try {
  await firstLoad(browser, server);
  await fill(server);
  await longTable(browser, server);
  for (const path of ["/", "/tasks", "/events"]) await burst(browser, server, path);
  console.log(
    `\n| what | here |\n|---|---|\n${figures.map(([what, value]) => `| ${what} | ${value} |`).join("\n")}`,
  );
} finally {
  await browser.close();
  await server.remove();
}
