import { defineConfig } from "vitest/config";

// Tests in a browser: one file after the other, since all of them would share two cores.
export default defineConfig({
  test: {
    root: new URL(".", import.meta.url).pathname,
    include: ["**/*.test.ts"],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
