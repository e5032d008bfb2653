import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// Where a server runs while pages are written: `npm run dev` shows its data.
const server = process.env.AGENT_LIGHTNING_DASHBOARD ?? "http://127.0.0.1:8051";

export default defineConfig({
  plugins: [react(), tailwindcss()],
  // The server puts a fresh nonce in its place with every page.
  html: { cspNonce: "__CSP_NONCE__" },
  build: {
    target: "es2022",
    // Inlined files would need data: in font-src; the server compresses everything itself.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
  server: {
    // The host stays the page's own, so that the server sees one origin.
    proxy: { "/api": { target: server, ws: true } },
  },
});
