/** From the first start to a first answer, as somebody does who has read nothing but what the server printed. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { launch, Visitor } from "./support/browser";
import { adminEmail, Server } from "./support/server";

let browser: Browser;
const server = new Server({ AGENT_LIGHTNING_ADMIN_PASSWORD: "" });

beforeAll(async () => {
  [browser] = await Promise.all([launch(), server.start()]);
});
afterAll(async () => {
  await browser.close();
  await server.remove();
});

it("signs in, chooses a password, and has a first task answered", async () => {
  const visitor = await Visitor.arrive(browser, server);
  const { page } = visitor;
  const printed = await server.printedPassword();

  await visitor.signIn(adminEmail, "not the password");
  await page.getByRole("alert").getByText(/wrong/i).waitFor();
  visitor.forgive(/401/);
  await visitor.signIn(adminEmail, printed);

  await page.getByRole("heading", { name: "Choose a password" }).waitFor();
  const chosen = "a much better password";
  await page.getByLabel("Current password").fill(printed);
  await page.getByLabel("New password", { exact: true }).fill("short");
  await page.getByRole("button", { name: "Change password" }).click();
  await page.getByText("At least 8 characters.", { exact: true }).waitFor();
  await page.getByLabel("New password", { exact: true }).fill(chosen);
  await page.getByLabel("New password again").fill(chosen);
  await page.getByRole("button", { name: "Change password" }).click();
  await visitor.isLive();

  await page.getByRole("link", { name: "Take the tour" }).click();
  await page.getByRole("link", { name: "Ask a question" }).click();
  await page.getByRole("textbox", { name: "Question" }).fill("How do I stop SQL injection?");
  await page.getByRole("button", { name: "Ask", exact: true }).click();
  await page.getByRole("region", { name: "What to do next" }).waitFor();
  // Nothing but the starter knowledge is there to answer from, and the answer says so.
  await page.getByText(/Answered by (extractive|its knowledge)/).waitFor();

  // A reload goes on with the login: its token is in a cookie that no script reads.
  await page.reload();
  await visitor.isLive();
  expect(await page.evaluate(() => document.cookie)).not.toContain("al_refresh");
  await visitor.leave();
});
