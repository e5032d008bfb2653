/** What people do all day: make an agent, give it work, watch it, and trust what they see. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { launch, Visitor } from "./support/browser";
import { Model } from "./support/model";
import { Server } from "./support/server";

/** The promise is one second, on a machine that is not busy; what it takes here is printed. */
const seenMs = 5000;

const model = new Model();
let browser: Browser;
let server: Server;

beforeAll(async () => {
  const url = await model.start();
  server = new Server({ OPENAI_API_KEY: "sk-test", OPENAI_BASE_URL: url });
  [browser] = await Promise.all([launch(), server.start()]);
});
afterAll(async () => {
  await browser.close();
  await server.remove();
  await model.stop();
});

async function createTask(page: Page, agent: string, description: string) {
  await page.goto(`/tasks?create=true&agent=${agent}`);
  const form = page.getByRole("dialog", { name: "Create task" });
  await form.getByLabel("What is to be done").fill(description);
  await form.getByRole("button", { name: "Create task" }).click();
  await page.waitForURL(/\/tasks\/[0-9a-f-]{36}/);
}

const state = (page: Page) => page.getByRole("status", { name: "State" });

it("creates an agent, gives it a task, and watches it finish without a reload", async () => {
  const visitor = await Visitor.arrive(browser, server);
  const { page } = visitor;
  await visitor.enter();

  await page.getByRole("link", { name: "Agents" }).first().click();
  await page.getByRole("link", { name: "Create agent" }).click();
  await page.getByRole("button", { name: "Create agent" }).click();
  await page.getByText("This is needed.").first().waitFor();
  await page.getByLabel(/^Name/).fill("Historian");
  await page.getByLabel(/^Specialization/).fill("history");
  await page.getByRole("button", { name: "Create agent" }).click();
  await page.waitForURL(/\/agents\/historian$/);

  await page.evaluate(() => Object.assign(window, { isSamePage: true }));
  await page.getByRole("link", { name: "Tasks" }).first().click();
  await page
    .getByRole("link", { name: "Create task" })
    .or(page.getByRole("button", { name: "Create task" }))
    .first()
    .click();
  const form = page.getByRole("dialog", { name: "Create task" });
  await form.getByLabel("What is to be done").fill("How do I stop SQL injection?");
  await form.getByLabel("Agent").click();
  await page.getByRole("option", { name: /Historian/ }).click();
  await form.getByRole("button", { name: "Create task" }).click();
  await state(page).getByText("Completed").waitFor();
  await page.getByText("parameterised queries").waitFor();
  expect(await page.evaluate(() => "isSamePage" in window)).toBe(true);
  await visitor.leave();
});

/** Kills the server while a task of `visitor` runs, starts it again, and says whether the page shows the end. */
async function survivesCrash(visitor: Visitor, waitMs: number, onCrash?: () => void): Promise<boolean> {
  const { page } = visitor;
  model.pauseMs = 120;
  await createTask(page, "security_expert", "How do I store passwords?");
  await state(page)
    .getByText(/Started|Running/)
    .waitFor();
  await page.getByText("parameterised").waitFor();
  onCrash?.();
  await server.kill();
  await page.locator('[data-testid="connection"][data-phase="lost"]').waitFor();
  model.pauseMs = 5;
  await server.start();
  const isSeen = await state(page)
    .getByText("Completed")
    .waitFor({ timeout: waitMs })
    .then(
      () => true,
      () => false,
    );
  visitor.forgive(/ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_INCOMPLETE_CHUNKED|WebSocket|50[234]/);
  return isSeen;
}

it("recovers by itself when the server dies in the middle of a task", async () => {
  const visitor = await Visitor.arrive(browser, server);
  await visitor.enter();
  await visitor.page.evaluate(() => Object.assign(window, { isSamePage: true }));
  expect(await survivesCrash(visitor, 45_000)).toBe(true);
  await visitor.isLive();
  await visitor.leave();
}, 90_000);

it("would show it if pages did not come back", async () => {
  const visitor = await Visitor.arrive(browser, server);
  await visitor.enter();
  // The planted fault: from the crash on, nothing of the server is reached any more.
  let isCut = false;
  await visitor.page.route("**/api/v1/**", (route) => (isCut ? route.abort() : route.continue()));
  await visitor.page.routeWebSocket(/\/ws$/, (socket) => {
    if (isCut) void socket.close();
    else socket.connectToServer();
  });
  await visitor.page.reload();
  await visitor.isLive();
  const cut = () => {
    isCut = true;
  };
  expect(await survivesCrash(visitor, 8000, cut)).toBe(false);
  visitor.complaints.splice(0);
  await visitor.leave();
}, 90_000);

it("shows each browser the changes of the other within a second", async () => {
  model.pauseMs = 5;
  const [ann, ben] = [await Visitor.arrive(browser, server), await Visitor.arrive(browser, server)];
  await Promise.all([ann.enter(), ben.enter()]);
  await ben.page.goto("/agents");
  await ben.isLive();
  await ben.page.getByRole("link", { name: "Security Expert" }).first().waitFor();

  await ann.page.goto("/agents/new");
  await ann.page.getByLabel(/^Name/).fill("Cartographer");
  await ann.page.getByLabel(/^Specialization/).fill("maps");
  const isStored = ann.page.waitForResponse(
    (answer) => answer.url().endsWith("/api/v1/agents") && answer.status() === 201,
  );
  await ann.page.getByRole("button", { name: "Create agent" }).click();
  await isStored;
  const stored = Date.now();
  await ben.page.getByRole("link", { name: "Cartographer" }).first().waitFor();
  const took = Date.now() - stored;

  // And the other way round, in a list that takes events by itself.
  await ann.page.goto("/tasks");
  await ann.page.getByTestId("long-table").waitFor();
  await ann.isLive();
  const task = await server.api<{ id: string }>("POST", "/agents/cartographer/tasks", {
    description: "Draw the coast of Wales",
  });
  const given = Date.now();
  await ann.page.getByText("Draw the coast of Wales").waitFor();
  const tookBack = Date.now() - given;
  expect(task.id).toBeTruthy();
  console.log(`seen by the other browser after ${took} ms (agent) and ${tookBack} ms (task)`);
  expect(Math.max(took, tookBack)).toBeLessThan(seenMs);
  await Promise.all([ann.leave(), ben.leave()]);
});

it("keeps rows in their order, and the focus in the list, when rows take the places of others", async () => {
  await server.api("POST", "/agents", { id: "archive", name: "Archive", specialization: "archives" });
  await server.api("PUT", "/agents/archive/status?status=offline");
  const numbers = Array.from({ length: 150 }, (_, number) => number);
  await Promise.all(
    numbers.map((number) => server.api("POST", "/agents/archive/tasks", { description: `Letter ${number}` })),
  );
  const visitor = await Visitor.arrive(browser, server);
  const { page } = visitor;
  await visitor.enter();
  await page.goto("/tasks?agent=archive");
  const list = page.getByTestId("long-table");
  const rows = list.locator("[data-row]");
  await rows.nth(20).waitFor();
  const isInOrder = () =>
    rows.evaluateAll((all) => {
      const indices = all.map((row) => Number(row.getAttribute("aria-rowindex")));
      const tops = all.map((row) => row.getBoundingClientRect().top);
      const rises = (values: number[]) =>
        values.every((value, at) => at === 0 || value > (values[at - 1] ?? 0));
      return rises(indices) && rises(tops);
    });

  /** Turns the wheel, and waits until the list has moved and rows cover all that is in sight of it. */
  const scroll = async (px: number) => {
    const from = await list.evaluate((element) => element.scrollTop);
    await page.mouse.wheel(0, px);
    await page.waitForFunction((before) => {
      const element = document.querySelector("[data-testid=long-table]");
      if (!element || element.scrollTop === before) return false;
      const { top, bottom } = element.getBoundingClientRect();
      const boxes = [...element.querySelectorAll("[data-row]")].map((row) => row.getBoundingClientRect());
      // The head of the table covers as much as one row.
      return boxes.some((box) => box.top <= top + 36) && boxes.some((box) => box.bottom >= bottom - 36);
    }, from);
  };

  await rows.nth(2).getByRole("link").focus();
  await list.hover();
  for (const px of [300, 300, 4000, -500, -4000, 900]) {
    await scroll(px);
    expect(await isInOrder(), `after ${px} px`).toBe(true);
    if (px === 4000) expect(await list.evaluate((element) => element === document.activeElement)).toBe(true);
  }

  // The menu of a row that leaves does not open for the one that takes its place.
  await scroll(-10_000);
  await rows.first().getByRole("button", { name: "Actions" }).click();
  await page.getByRole("menuitem", { name: "Copy id" }).waitFor();
  await page.keyboard.press("Escape");
  await scroll(4000);
  expect(await page.getByRole("menu").count()).toBe(0);
  expect(visitor.complaints).toEqual([]);
  await visitor.leave();
});
