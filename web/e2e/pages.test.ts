/**
 * Every page: it loads by its address, nothing complains, axe finds nothing, nothing reaches over a phone's edge, and its
 * pictures are taken: into build/screenshots, or where AGENT_LIGHTNING_SCREENSHOTS says (`npm run screenshots`: docs/).
 */
import { existsSync, readdirSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { violations } from "./support/axe";
import { desktop, type Look, launch, phone, Visitor } from "./support/browser";
import { Model } from "./support/model";
import { type Scene, setScene } from "./support/scene";
import { Server } from "./support/server";
import { likeness, wordsOf } from "./support/words";

interface Stop {
  name: string;
  path: (scene: Scene) => string;
  /** What is there once the page is. */
  shows: RegExp;
  /** Of the page's own readings, before there is a line to draw. */
  readings?: number;
}

const at = (name: string, path: string, shows: RegExp): Stop => ({ name, path: () => path, shows });

const stops: Stop[] = [
  at("overview", "/?range=15m", /Recent failures/),
  at("welcome", "/welcome", /Welcome/),
  at("agents", "/agents", /Archivist/),
  at("agent-new", "/agents/new", /Specialization/),
  at("agent", "/agents/developer", /nightly import/),
  at("agent-edit", "/agents/archivist/edit", /Specialization/),
  {
    name: "agent-chat",
    path: (scene) => `/agents/security_expert?tab=chat&session=${scene.conversation}`,
    shows: /Argon2id/,
  },
  at("agent-history", "/agents/archivist?tab=history", /capabilities/i),
  at("agent-performance", "/agents/archivist?tab=performance&range=15m", /Performance/),
  at("knowledge", "/knowledge", /The oldest seal/),
  at("knowledge-search", "/knowledge?q=roll%20back%20a%20deployment", /deployment/i),
  at("knowledge-item", "/knowledge/archivist/seal", /ferry/),
  at("knowledge-import", "/knowledge/import", /Import/),
  at("tasks", "/tasks", /SQL injection/),
  at("task-new", "/tasks?create=true", /What is to be done/),
  { name: "task", path: (scene) => `/tasks/${scene.completedTask}`, shows: /parameterised/ },
  { name: "task-trace", path: (scene) => `/tasks/${scene.tracedTask}?tab=trace`, shows: /model/i },
  { name: "task-failed", path: (scene) => `/tasks/${scene.failedTask}`, shows: /Failed/ },
  at("events", "/events", /login:created/),
  at("events-history", "/events/agent/archivist", /Version|version/),
  at("events-dead-letters", "/events?tab=dead-letters", /dead letter/i),
  at("events-flow", "/events?tab=flow", /Flow/),
  at("services", "/services", /Gateway|gateway/),
  at("services-health", "/services?tab=health", /Health/),
  at("charts", "/charts?name=checkout.seconds&service=shop", /task\.seconds/),
  { ...at("charts-process", "/charts?tab=process", /Process/), readings: 4 },
  at("models", "/models", /gpt-5-mini/),
  at("models-providers", "/models?tab=providers", /groq/i),
  at("models-usage", "/models?tab=usage", /Usage|usage/),
  at("backups", "/backups", /Done|Running/),
  at("settings-profile", "/settings/profile", /Administrator/),
  at("settings-security", "/settings/security", /Second factor/),
  at("settings-sessions", "/settings/sessions", /Chrom/),
  at("settings-api-keys", "/settings/api-keys", /key/i),
  at("settings-users", "/settings/users", /^Ada Lovelace$/),
  at("settings-roles", "/settings/roles", /auditor/),
  at("settings-organisations", "/settings/organisations", /Harbour/),
  at("settings-audit", "/settings/audit", /login|user/i),
  at("settings-configuration", "/settings/configuration", /AGENT_LIGHTNING_/),
];

const shownMs = 15_000;
const folder = resolve(process.env.AGENT_LIGHTNING_SCREENSHOTS ?? "../build/screenshots");
const kept = resolve("../docs/screenshots");
/** For pictures that stay it is worth while to wait until charts have something to show. */
const isKept = process.env.AGENT_LIGHTNING_SCREENSHOTS !== undefined;
/** Of each page, beside its pictures. */
const wordsFile = "words.json";
/** Of a page that is as its picture shows it: states and what has just happened differ from run to run. */
const likenessMin = 0.75;
const words: Record<string, string> = {};
const model = new Model();
let browser: Browser;
let server: Server;
let scene: Scene;

beforeAll(async () => {
  const url = await model.start();
  server = new Server({ OPENAI_API_KEY: "sk-test", OPENAI_BASE_URL: url });
  [browser] = await Promise.all([launch(), server.start(), mkdir(folder, { recursive: true })]);
  scene = await setScene(server, model, isKept ? 8000 : 0);
}, 240_000);
afterAll(async () => {
  await browser.close();
  // First, since the server waits for what its agents are doing.
  await model.stop();
  await server.remove();
});

/** What is wider than the window, as far as the page scrolls sideways for it. */
const overflow = (page: Page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

const views: { look: Look; size: "desktop" | "phone" }[] = [
  { look: "light", size: "desktop" },
  { look: "dark", size: "desktop" },
  { look: "light", size: "phone" },
  { look: "dark", size: "phone" },
];

describe.each(views)("$size, $look", ({ look, size }) => {
  let visitor: Visitor;
  beforeAll(async () => {
    visitor = await Visitor.arrive(browser, server, size === "desktop" ? desktop : phone, look);
    await visitor.enter();
  });
  afterAll(() => visitor.leave());

  it.each(stops)("$name", async ({ name, path, shows, readings }) => {
    const { page } = visitor;
    await page.goto(path(scene));
    await visitor.isLive();
    // Nothing is under the pointer.
    await page.mouse.move(0, 0);
    for (let read = 0; isKept && read < (readings ?? 0); ++read)
      await page.waitForResponse((answer) => answer.url().endsWith("/metrics"));
    await page
      .locator("main, [role=dialog]")
      .getByText(shows)
      .filter({ visible: true })
      .first()
      .waitFor({ timeout: shownMs });
    await page.waitForLoadState("networkidle");
    // Charts and what slides in are there when nothing moves any more.
    await page.evaluate(() =>
      Promise.all(
        document
          .getAnimations()
          .filter((one) => one.effect?.getComputedTiming().iterations !== Infinity)
          .map((one) => one.finished),
      ),
    );
    if (size === "desktop" && look === "light") words[name] = await wordsOf(page);
    await page.screenshot({ path: join(folder, `${name}-${size}-${look}.png`) });
    // Contrasts differ by look, the rest by size.
    if (size === "desktop" || look === "light") expect(await violations(page)).toEqual([]);
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    expect(visitor.complaints).toEqual([]);
  });
});

it("knows the API as the server describes it", async () => {
  const file = await readFile(resolve("src/api/openapi.json"), "utf8");
  const served = (await (await fetch(`${server.pages}/openapi.json`)).json()) as { paths: object };
  const known = JSON.parse(file) as { paths: object };
  expect(Object.keys(known.paths)).toEqual(Object.keys(served.paths));
});

it("has pictures that show what the pages say: else `npm run screenshots` takes new ones", async () => {
  await writeFile(join(folder, wordsFile), `${JSON.stringify(words, null, 1)}\n`);
  const pictured = JSON.parse(await readFile(join(kept, wordsFile), "utf8")) as typeof words;
  const likenesses = Object.entries(words).map(
    ([name, now]) => [name, likeness(now, pictured[name] ?? "")] as const,
  );
  expect(likenesses.filter(([, value]) => value < likenessMin)).toEqual([]);
  // Pages that have a frame in common are not taken for each other.
  expect(likeness(words.tasks ?? "", pictured.backups ?? "")).toBeLessThan(likenessMin);
});

it("has a picture of every page in docs/, and of no other", () => {
  const wanted = stops.flatMap(({ name }) => views.map(({ look, size }) => `${name}-${size}-${look}.png`));
  expect(existsSync(kept) ? readdirSync(kept).sort() : []).toEqual([...wanted, wordsFile].sort());
});
