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

interface TraceEvent {
  name: string;
  ph: string;
  pid: number;
  tid: number;
  /** Microseconds, of the clock and of the processor. */
  dur: number;
  tdur?: number;
  args: { name?: string };
}

const longest = (values: number[]) => Math.round(Math.max(0, ...values));

/**
 * What keeps the page from answering while `deed` lasts: tasks of its main thread over 50 ms. Beside the time of the
 * clock stands that of the processor, since a thread also waits for a core that server and load have.
 */
async function watch(browser: Browser, page: Page, deed: () => Promise<void>): Promise<string> {
  await browser.startTracing(page, { categories: ["toplevel"] });
  await deed();
  const trace = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
  const thread = ({ pid, tid }: TraceEvent) => `${pid} ${tid}`;
  const pages = new Set(
    trace.traceEvents
      .filter((event) => event.name === "thread_name" && event.args.name === "CrRendererMain")
      .map(thread),
  );
  const tasks = trace.traceEvents.filter(
    (event) => event.name === "ThreadControllerImpl::RunTask" && event.ph === "X" && pages.has(thread(event)),
  );
  if (tasks.length === 0) throw new Error("the browser tells of no task: the trace has other names now");
  const ms = tasks.map((task) => task.dur / 1000);
  const busyMs = tasks.map((task) => (task.tdur ?? task.dur) / 1000);
  const over = (values: number[]) => values.filter((value) => value > 50).length;
  return `${over(ms)} tasks over 50 ms, longest ${longest(ms)} ms; by time of the processor ${over(busyMs)}, longest ${longest(busyMs)} ms`;
}

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
  const table = page.getByTestId("long-table");
  await table.hover();
  const byWheel = await watch(browser, page, async () => {
    for (let step = 0; step < 300; ++step) {
      await page.mouse.wheel(0, 1500);
      await pause(16);
    }
  });
  // As far as pages had come: a wheel may be faster than they are.
  const reached = () => table.evaluate((element) => element.scrollTop.toLocaleString("en"));
  say(`table of 100,000 tasks, ${await reached()} px by wheel`, byWheel);
  const byKey = await watch(browser, page, async () => {
    for (let step = 0; step < 60; ++step) {
      await table.press("End");
      await pause(100);
    }
  });
  say(`the same, to ${await reached()} px by the End key`, byKey);
  await visitor.leave();
}

async function burst(browser: Browser, server: Server, path: string) {
  const visitor = await Visitor.arrive(browser, server);
  const { page } = visitor;
  await visitor.enter();
  await page.goto(path);
  await visitor.isLive();
  await pause(1500);
  let begun = 0;
  let tookMs = 0;
  let sent = 0;
  const work = async () => {
    while (sent < burstPerSecond * burstSeconds) {
      const due = begun + (sent++ * 1000) / burstPerSecond;
      if (due > Date.now()) await pause(due - Date.now());
      await server.api("POST", "/agents/archive/tasks", { description: "One of many" });
    }
  };
  const seen = await watch(browser, page, async () => {
    begun = Date.now();
    await Promise.all(Array.from({ length: 24 }, work));
    tookMs = Date.now() - begun;
  });
  const rate = Math.round((sent * 1000) / tookMs);
  say(`${rate} events/s for ${burstSeconds} s at ${path}`, seen);
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
