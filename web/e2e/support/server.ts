/** The real program in a folder of its own. AGENT_LIGHTNING_BINARY names it. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, open, readFile, rm } from "node:fs/promises";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

const binary = resolve(process.env.AGENT_LIGHTNING_BINARY ?? "../build/release/agent-lightning");
const startMs = 60_000;
const portSettings = [
  "GATEWAY_PORT",
  "AGENT_DESIGNER_PORT",
  "AI_MODEL_PORT",
  "AUTH_PORT",
  "WEBSOCKET_PORT",
  "SERVICE_DISCOVERY_PORT",
  "OPERATIONS_PORT",
  "DASHBOARD_PORT",
];
// No setting of whoever runs the tests gets in, but for what sanitizers need.
const passedOn = ["PATH", "HOME", "TMPDIR", "LANG", "ASAN_OPTIONS", "UBSAN_OPTIONS"];

const connections = new Agent({ keepAlive: true });

export const adminEmail = "admin@localhost";
export const password = "correct-horse-battery-staple";

interface Started {
  pid: number;
  roles: Record<string, string>;
  token_file: string;
}

export class Server {
  /** Where the pages are. */
  pages = "";
  token = "";
  private child: ChildProcess | undefined;
  private directory = "";

  /** `environment` overrides; a setting that is empty is as if it were not there. */
  constructor(private readonly environment: Record<string, string> = {}) {}

  /** Starts, or starts again on the same data and the same port. */
  async start(): Promise<this> {
    this.directory ||= await mkdtemp(join(tmpdir(), "agent-lightning-"));
    const log = await open(join(this.directory, "log"), "a");
    const settings: Record<string, string> = { AGENT_LIGHTNING_DATA: join(this.directory, "data") };
    for (const port of portSettings) settings[port] = "0";
    if (this.pages) settings.DASHBOARD_PORT = new URL(this.pages).port;
    for (const name of passedOn) settings[name] = process.env[name] ?? "";
    this.child = spawn(binary, ["serve", "--json"], {
      cwd: this.directory,
      env: {
        ...settings,
        AGENT_LIGHTNING_ADMIN_EMAIL: adminEmail,
        AGENT_LIGHTNING_ADMIN_PASSWORD: password,
        ...this.environment,
      },
      stdio: ["ignore", "pipe", log.fd],
    });
    await log.close();
    try {
      const said = await this.firstLine();
      this.pages = said.roles.dashboard ?? "";
      this.token = (await readFile(resolve(this.directory, said.token_file), "utf8")).trim();
      await this.ready();
    } catch (error) {
      await this.end("SIGKILL");
      throw error;
    }
    return this;
  }

  private async firstLine(): Promise<Started> {
    const output = this.child?.stdout;
    if (!output) throw new Error("the server has no output");
    for await (const line of createInterface({ input: output })) return JSON.parse(line) as Started;
    throw new Error(`the server did not start:\n${await this.log()}`);
  }

  private async ready(): Promise<void> {
    for (const limit = Date.now() + startMs; Date.now() < limit; ) {
      const answer = await fetch(`${this.pages}/ready`).catch(() => undefined);
      if (answer?.ok) return;
      await new Promise((done) => setTimeout(done, 10));
    }
    throw new Error(`the server did not get ready:\n${await this.log()}`);
  }

  async log(): Promise<string> {
    return (await readFile(join(this.directory, "log"), "utf8")).slice(-8000);
  }

  /** The one that was made up at the first start, as it is shown to whoever starts the program. */
  async printedPassword(): Promise<string> {
    const said = await readFile(join(this.directory, "log"), "utf8");
    const found = said.match(/with the password (\S+)/)?.[1];
    if (!found) throw new Error("no password was printed");
    return found;
  }

  /** As a crash: nothing is said good-bye to. */
  async kill(): Promise<void> {
    await this.end("SIGKILL");
  }

  private async end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const child = this.child;
    this.child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((done) => child.once("exit", done));
    child.kill(signal);
    await gone;
  }

  async remove(): Promise<void> {
    await this.end("SIGTERM");
    await rm(this.directory, { recursive: true, force: true });
  }

  /** A call of the API, with the token of the first start where nobody's is given; throws for what is no success. */
  async api<T = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    token = this.token,
  ): Promise<T> {
    const { status, text } = await this.ask(method, `${this.pages}/api/v1${path}`, token, body);
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`);
    return JSON.parse(text) as T;
  }

  // Not by fetch(), which reaches 700 calls a second here: too few to measure what pages make of a burst.
  private ask(
    method: string,
    url: string,
    token: string,
    body: unknown,
  ): Promise<{ status: number; text: string }> {
    const headers = {
      Authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
    };
    return new Promise((resolve, reject) => {
      const call = request(url, { method, headers, agent: connections }, async (answer) => {
        let text = "";
        for await (const part of answer.setEncoding("utf8")) text += part;
        resolve({ status: answer.statusCode ?? 0, text });
      });
      call.on("error", reject);
      call.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /** With which a user calls the API. */
  async tokenOf(email: string, secret = password): Promise<string> {
    const { access_token } = await this.api<{ access_token: string }>("POST", "/auth/login", {
      email,
      password: secret,
    });
    return access_token;
  }

  /** Makes a user who can sign in with `password`. */
  async addUser(email: string, roles: string[], name = email.split("@")[0]): Promise<void> {
    const user = await this.api<{ id: string }>("POST", "/users", {
      email,
      full_name: name,
      roles,
    });
    const link = await this.api<{ token: string }>("POST", `/users/${user.id}/password-reset`);
    await this.api("POST", "/auth/reset-password", { token: link.token, new_password: password });
  }
}
