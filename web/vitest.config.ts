import { defineConfig } from "vitest/config";

// What needs no browser; e2e/ has a configuration of its own.
export default defineConfig({ test: { include: ["src/**/*.test.ts"], setupFiles: ["./src/test_setup.ts"] } });
