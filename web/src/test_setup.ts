/** The few things of a browser that modules touch while they are loaded. */
import { File } from "node:buffer";
import { vi } from "vitest";

vi.stubGlobal("window", globalThis);
vi.stubGlobal("isSecureContext", true);
// Node.js 18 has it, but not as a global.
vi.stubGlobal("File", File);
vi.stubGlobal("location", {
  protocol: "http:",
  host: "localhost:8051",
  origin: "http://localhost:8051",
  pathname: "/",
});
vi.stubGlobal("document", { cookie: "", documentElement: { dataset: {} } });
vi.stubGlobal("localStorage", { getItem: () => null, setItem: () => undefined, removeItem: () => undefined });
vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener: () => undefined }));
vi.stubGlobal("addEventListener", () => undefined);
vi.stubGlobal("removeEventListener", () => undefined);
