/** Who may do what: pages hide it, the server refuses it, and a second factor is asked for. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { launch, Visitor } from "./support/browser";
import { password, Server } from "./support/server";
import { totp } from "./support/totp";

const server = new Server();
let browser: Browser;

beforeAll(async () => {
  [browser] = await Promise.all([launch(), server.start()]);
  await server.addUser("viewer@example.com", ["viewer"]);
  await server.addUser("careful@example.com", ["developer"]);
});
afterAll(async () => {
  await browser.close();
  await server.remove();
});

it("hides what a user may not do, and the server refuses it all the same", async () => {
  const visitor = await Visitor.arrive(browser, server);
  const { page } = visitor;
  let token = "";
  page.on("request", (request) => {
    token = request.headers().authorization ?? token;
  });
  await visitor.enter("viewer@example.com");

  const navigation = page.getByRole("navigation", { name: "Main" });
  await navigation.getByRole("link", { name: "Agents" }).click();
  await page.getByRole("link", { name: "Security Expert" }).first().waitFor();
  expect(await navigation.getByRole("link", { name: "Backups" }).count()).toBe(0);
  expect(await page.getByRole("link", { name: "Create agent" }).count()).toBe(0);

  await page.goto("/settings/users");
  await page
    .getByText(/may not/i)
    .first()
    .waitFor();
  await page.goto("/agents/new");
  await page
    .getByText(/may not/i)
    .first()
    .waitFor();
  visitor.forgive(/403/);

  const refused = await fetch(`${server.pages}/api/v1/agents`, {
    method: "POST",
    headers: { Authorization: token, "Content-Type": "application/json" },
    body: JSON.stringify({ id: "sneaked", name: "Sneaked in", specialization: "none" }),
  });
  expect(refused.status).toBe(403);
  await visitor.leave();
});

it("takes what is taken from a user from the pages, too, while they are open", async () => {
  await server.addUser("moved@example.com", ["operator"]);
  const visitor = await Visitor.arrive(browser, server);
  const { page } = visitor;
  await visitor.enter("moved@example.com");
  const backups = page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Backups" });
  await backups.waitFor();
  const { users } = await server.api<{ users: { id: string; email: string }[] }>("GET", "/users?limit=500");
  const id = users.find((user) => user.email === "moved@example.com")?.id;
  await server.api("PUT", `/users/${id}`, { roles: ["viewer"] });
  await page.reload();
  await visitor.isLive();
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Agents" }).waitFor();
  expect(await backups.count()).toBe(0);
  await visitor.leave();
});

it("enrols a second factor and asks for it", async () => {
  const visitor = await Visitor.arrive(browser, server);
  const { page } = visitor;
  await visitor.enter("careful@example.com");
  await page.goto("/settings/security");
  await page.getByRole("button", { name: "Set up second factor" }).click();
  await page
    .getByTitle("QR code for your authenticator app")
    .or(page.getByRole("img", { name: /QR code/ }))
    .first()
    .waitFor();
  const secret = (await page.getByTestId("mfa-secret").textContent()) ?? "";
  await page.getByLabel("Code").fill("000000");
  await page.getByRole("button", { name: "Turn on" }).click();
  await page.getByLabel("Code").and(page.locator("[aria-invalid=true]")).waitFor();
  visitor.forgive(/4\d\d/);
  await page.getByLabel("Code").fill(totp(secret));
  await page.getByRole("button", { name: "Turn on" }).click();
  const codes = page.getByRole("list", { name: "Recovery codes" }).getByRole("listitem");
  await codes.first().waitFor();
  expect(await codes.count()).toBe(10);
  const recovery = ((await codes.first().textContent()) ?? "").trim();
  await page.getByRole("button", { name: "I have kept them" }).click();

  await page.getByRole("button", { name: /^Signed in as/ }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await visitor.signIn("careful@example.com", password);
  // A code is good once, and this one was used a moment ago.
  await page.getByLabel("Code").fill(recovery);
  await page.getByRole("button", { name: "Sign in" }).click();
  await visitor.isLive();
  visitor.forgive(/401/);
  await visitor.leave();
});

it("ends the page with its session", async () => {
  await server.addUser("leaver@example.com", ["developer"]);
  const visitor = await Visitor.arrive(browser, server);
  await visitor.enter("leaver@example.com");
  const other = await visitor.context.newPage();
  await other.goto("/agents");
  await other.locator('[data-testid="connection"][data-phase="live"]').waitFor();
  await visitor.page.getByRole("button", { name: /^Signed in as/ }).click();
  await visitor.page.getByRole("menuitem", { name: "Sign out" }).click();
  await visitor.page.getByRole("heading", { name: "Sign in" }).waitFor();
  await other.getByRole("heading", { name: "Sign in" }).waitFor();
  await visitor.leave();
});
