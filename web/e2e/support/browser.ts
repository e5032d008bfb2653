/** A real browser whose pages must stay without a complaint. */
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { adminEmail, password, type Server } from "./server";

const executable = process.env.CHROMIUM ?? "/usr/bin/chromium";

export async function launch(): Promise<Browser> {
  // The sandbox needs rights that containers do not give; the pages are our own.
  return chromium.launch({ executablePath: executable, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
}

export type Look = "light" | "dark";
export const desktop = { width: 1440, height: 900 };
export const phone = { width: 390, height: 844 };

/** A person at a browser of their own. */
export class Visitor {
  /** What the page complained of: errors in the console, exceptions, breaches of its content security policy. */
  readonly complaints: string[] = [];

  private constructor(
    readonly context: BrowserContext,
    readonly page: Page,
    readonly server: Server,
  ) {}

  static async arrive(
    browser: Browser,
    server: Server,
    viewport = desktop,
    look: Look = "light",
  ): Promise<Visitor> {
    const context = await browser.newContext({
      viewport,
      colorScheme: look,
      baseURL: server.pages,
      // As people's browsers say it, who have a head.
      userAgent: `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${browser.version()} Safari/537.36`,
    });
    await context.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", (event) => {
        console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile ?? ""}`);
      });
    });
    const visitor = new Visitor(context, await context.newPage(), server);
    visitor.page.on("console", (message) => {
      if (message.type() === "error")
        visitor.complaints.push(`${message.text()} (${message.location().url})`);
    });
    visitor.page.on("pageerror", (error) => visitor.complaints.push(String(error)));
    return visitor;
  }

  async signIn(email = adminEmail, secret = password): Promise<void> {
    if (this.page.url() === "about:blank") await this.page.goto("/");
    await this.page.getByLabel("Email").fill(email);
    await this.page.getByLabel("Password").fill(secret);
    await this.page.getByRole("button", { name: "Sign in" }).click();
  }

  /** Signed in and connected. */
  async enter(email = adminEmail): Promise<void> {
    await this.signIn(email);
    await this.isLive();
  }

  async isLive(): Promise<void> {
    await this.page.locator('[data-testid="connection"][data-phase="live"]').waitFor();
  }

  /** What a server that is away makes browsers complain of; nothing else is forgiven. */
  forgive(pattern: RegExp): void {
    const left = this.complaints.filter((complaint) => !pattern.test(complaint));
    this.complaints.splice(0, this.complaints.length, ...left);
  }

  async leave(): Promise<void> {
    await this.context.close();
    if (this.complaints.length > 0) throw new Error(`the page complained:\n${this.complaints.join("\n")}`);
  }
}
