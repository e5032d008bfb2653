/** A small company's installation, for screenshots and for looking at every page. */
import type { Model } from "./model";
import { adminEmail, type Server } from "./server";
import {
  archiveQuestions,
  endless,
  people,
  planning,
  type Question,
  questions,
  scripts,
  seal,
  talk,
  waiting,
} from "./team";

export interface Scene {
  completedTask: string;
  tracedTask: string;
  failedTask: string;
  /** Of the one who looks, with an agent. */
  conversation: string;
}

/** What people call the API with, by their addresses. */
type Tokens = Map<string, string>;

const developer = "ada@example.com";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(isSo: () => Promise<boolean>, what: string): Promise<void> {
  for (const limit = Date.now() + 60_000; Date.now() < limit; await pause(100)) if (await isSo()) return;
  throw new Error(what);
}

const statusOf = async (server: Server, id: string) =>
  (await server.api<{ status: string }>("GET", `/tasks/${id}`)).status;

const ended = (server: Server, id: string) =>
  until(async () => !["pending", "started"].includes(await statusOf(server, id)), `task ${id} did not end`);

async function addPeople(server: Server) {
  for (const { email, name, role } of people) await server.addUser(email, [role], name);
  await server.api("POST", "/roles", {
    id: "auditor",
    description: "Reads what agents did and who changed what.",
    permissions: ["agents:read", "tasks:read", "knowledge:read", "events:read", "audit:read"],
  });
  await server.api("POST", "/auth/api-keys?owner=service", {
    name: "nightly import",
    permissions: ["knowledge:read"],
  });
  await server.api("POST", "/organisations", { id: "harbour", name: "Harbour office" });
  await server.tokenOf("alan@example.com", "not his password").catch(() => undefined);
}

async function tokensOf(server: Server): Promise<Tokens> {
  const tokens: Tokens = new Map();
  for (const { email } of people) tokens.set(email, await server.tokenOf(email));
  return tokens;
}

/** What the one who looks has made. */
async function addOwnThings(server: Server): Promise<string> {
  const token = await server.tokenOf(adminEmail);
  const expires_at = new Date(Date.now() + 90 * 86_400_000).toISOString();
  for (const key of [
    { name: "dashboards", permissions: ["metrics:read", "events:read"] },
    { name: "release script", permissions: ["tasks:read", "tasks:write"], expires_at },
  ])
    await server.api("POST", "/auth/api-keys", key, token);
  const { session_id } = await server.api<{ session_id: string }>(
    "POST",
    "/agents/security_expert/chat",
    { message: talk },
    token,
  );
  return session_id;
}

async function addArchivist(server: Server, tokens: Tokens) {
  const ada = tokens.get(developer);
  const capabilities = ["dating documents", "palaeography"];
  await server.api(
    "POST",
    "/agents",
    {
      id: "archivist",
      name: "Archivist",
      specialization: "archives",
      model: "gpt-5-mini",
      capabilities,
      config: { temperature: 0.2 },
    },
    ada,
  );
  const change = (to: object) => server.api("PUT", "/agents/archivist", to, ada);
  await change({ capabilities: [...capabilities, "seals"] });
  await change({ max_concurrency: 2 });
  await change({ config: { temperature: 0.1, max_tokens: 2048 } });
  await server.api(
    "POST",
    "/agents/archivist/knowledge",
    {
      id: "seal",
      source: "finding aid, p. 3",
      category: "domain_knowledge",
      content: seal,
      tags: ["seals", "13th century", "ferry"],
    },
    ada,
  );
}

async function backUp(server: Server) {
  const { id } = await server.api<{ id: string }>("POST", "/backups");
  await until(
    async () => (await server.api<{ state: string }>("GET", `/backups/${id}`)).state !== "running",
    `backup ${id} did not end`,
  );
}

/** Measured by a program of the company's own. */
async function addMetrics(server: Server) {
  const now = Date.now();
  const metrics = Array.from({ length: 180 }, (_, sample) => ({
    service: "shop",
    name: "checkout.seconds",
    value: 0.42 + 0.1 * Math.sin(sample / 21) + 0.06 * Math.sin(sample * 2.1) + (sample % 90 > 80 ? 0.3 : 0),
    tags: { region: "eu" },
    timestamp: new Date(now - (180 - sample) * 20_000).toISOString(),
  }));
  await server.api("POST", "/metrics/series", { metrics });
}

type Give = (question: Question, more?: object) => Promise<string>;

const giving =
  (server: Server, tokens: Tokens): Give =>
  async ({ by, agent, text: description, priority = "normal" }, more = {}) => {
    const body = { description, priority, ...more };
    return (await server.api<{ id: string }>("POST", `/agents/${agent}/tasks`, body, tokens.get(by))).id;
  };

async function addTasks(server: Server, model: Model, give: Give, pauseMs: number) {
  const given: string[] = [];
  for (const [index, question] of questions.entries()) {
    given.push(await give(question));
    await pause(pauseMs);
    const other = archiveQuestions[index / 2];
    if (other) given.push(await give(other));
  }
  await server.api("PUT", "/agents/system_architect", {
    config: { tools: ["knowledge_search", "delegate"] },
  });
  const tracedTask = await give(planning);
  await Promise.all([...given, tracedTask].map((id) => ended(server, id)));
  model.failWith = 400;
  const asked = { by: "grace@example.com", agent: "data_scientist", text: "Forecast the demand for May" };
  const failedTask = await give(asked, { max_attempts: 1 });
  await ended(server, failedTask);
  model.failWith = 0;
  const archive = { by: developer, agent: "archivist" };
  const later = { scheduled_at: "2999-01-01T00:00:00Z" };
  await give({ ...archive, text: "Archive the year" }, later);
  const cancelled = await give({ ...archive, text: "File the letters" }, later);
  await server.api("POST", `/tasks/${cancelled}/cancel`);
  return { completedTask: given[0] ?? "", tracedTask, failedTask };
}

/** Goes on for as long as somebody looks. */
async function keepBusy(server: Server, model: Model, give: Give) {
  model.silentAbout = endless.text;
  await server.api("PUT", "/agents/developer", { max_concurrency: 1 });
  const running = await give(endless, { timeout_seconds: 3600 });
  await until(async () => (await statusOf(server, running)) === "started", "nothing runs");
  for (const question of waiting) await give(question);
}

/** `pauseMs` lies between the tasks, so that charts have more than one time to show. */
export async function setScene(server: Server, model: Model, pauseMs: number): Promise<Scene> {
  for (const [about, turns] of scripts) model.scripts.set(about, turns);
  await addPeople(server);
  const tokens = await tokensOf(server);
  const give = giving(server, tokens);
  await backUp(server);
  await addArchivist(server, tokens);
  const tasks = await addTasks(server, model, give, pauseMs);
  const conversation = await addOwnThings(server);
  await backUp(server);
  await addMetrics(server);
  await keepBusy(server, model, give);
  // Last, since agents of the organisation ask its own providers first, and these are not there.
  await server.api("POST", "/providers", {
    id: "groq",
    kind: "openai",
    base_url: "https://api.groq.com/openai/v1",
    models: { fast: "llama-3.3-70b" },
    key: "gsk-not-a-key",
  });
  await server.api("POST", "/providers", {
    id: "mistral",
    kind: "openai",
    base_url: "https://api.mistral.ai/v1",
    models: { careful: "mistral-large-latest" },
  });
  return { ...tasks, conversation };
}
