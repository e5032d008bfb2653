/** A small company's installation, for screenshots and for looking at every page. */
import type { Model } from "./model";
import type { Server } from "./server";

export interface Scene {
  completedTask: string;
  failedTask: string;
}

const questions = [
  ["security_expert", "How do I stop SQL injection in our order form?"],
  ["devops_engineer", "Which index helps a range query over two columns?"],
  ["data_scientist", "Is the difference between the two groups significant?"],
  ["optimizer", "How do I keep a list smooth on an old phone?"],
  ["reviewer", "Review the sign-up form for people who use a keyboard"],
  ["blockchain_developer", "What does a reentrancy guard cost?"],
  ["researcher", "Summarise last week's incident reports"],
] as const;

async function ended(server: Server, id: string): Promise<void> {
  for (const limit = Date.now() + 60_000; Date.now() < limit; ) {
    const task = await server.api<{ status: string }>("GET", `/tasks/${id}`);
    if (task.status !== "pending" && task.status !== "started") return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`task ${id} did not end`);
}

const give = (server: Server, agent: string, body: object) =>
  server.api<{ id: string }>("POST", `/agents/${agent}/tasks`, body);

async function addPeople(server: Server) {
  await server.addUser("ada@example.com", ["developer"]);
  await server.addUser("grace@example.com", ["operator"]);
  await server.addUser("alan@example.com", ["viewer"]);
  await server.api("POST", "/roles", {
    id: "reviewer",
    description: "Reads what agents did, and gives them work.",
    permissions: ["agents:read", "tasks:read", "tasks:write", "knowledge:read", "websocket:connect"],
  });
  await server.api("POST", "/auth/api-keys?owner=service", {
    name: "nightly import",
    permissions: ["knowledge:read"],
  });
}

async function addThings(server: Server) {
  await server.api("POST", "/agents", {
    id: "archivist",
    name: "Archivist",
    specialization: "archives",
    model: "gpt-5-mini",
    capabilities: ["dating documents", "palaeography"],
    config: { temperature: 0.2 },
  });
  await server.api("PUT", "/agents/archivist", {
    capabilities: ["dating documents", "palaeography", "seals"],
  });
  await server.api("POST", "/agents/archivist/knowledge", {
    id: "seal",
    source: "finding aid, p. 3",
    content: "The oldest seal in the archive is from 1281 and shows a ferry.",
    tags: ["seals", "13th century"],
  });
  await server.api("POST", "/backups");
}

async function addTasks(server: Server, model: Model): Promise<Scene> {
  const given: string[] = [];
  for (const [agent, description] of questions) {
    for (const priority of ["normal", "high"])
      given.push((await give(server, agent, { description, priority })).id);
  }
  await Promise.all(given.map((id) => ended(server, id)));
  model.failWith = 400;
  const failed = await give(server, "data_scientist", {
    description: "Forecast the demand for May",
    max_attempts: 1,
  });
  await ended(server, failed.id);
  model.failWith = 0;
  const later = "2999-01-01T00:00:00Z";
  await give(server, "archivist", { description: "Archive the year", scheduled_at: later });
  const cancelled = await give(server, "archivist", { description: "File the letters", scheduled_at: later });
  await server.api("POST", `/tasks/${cancelled.id}/cancel`);
  return { completedTask: given[0] ?? "", failedTask: failed.id };
}

export async function setScene(server: Server, model: Model): Promise<Scene> {
  await addPeople(server);
  await addThings(server);
  const scene = await addTasks(server, model);
  // Last, since agents of the organisation ask its own provider first, and this one is not there.
  await server.api("POST", "/providers", {
    id: "groq",
    kind: "openai",
    base_url: "https://api.groq.com/openai/v1",
    models: { fast: "llama-3.3-70b" },
  });
  return scene;
}
