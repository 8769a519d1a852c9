/// <reference types="vitest/config" />
import { tanstackRouter } from "@tanstack/router-plugin/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { compressed, PAGE } from "./compressed.ts";

export default defineConfig({
  plugins: [
    tanstackRouter({ target: "react", autoCodeSplitting: true }),
    react(),
    compressed(/\.(js|css|html|svg)$/),
  ],
  build: {
    outDir: PAGE,
    emptyOutDir: true,
    // Every browser that runs what is built here knows `modulepreload` itself.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
    license: false,
    // What every page needs, and what most do, come as one file each: many small ones take longer.
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: "frame", tags: ["$initial"], priority: 2 },
            {
              name: "parts",
              test: /node_modules\/(@mantine|@floating-ui|lucide-react|@tanstack)\//,
              minShareCount: 4,
              priority: 1,
              includeDependenciesRecursively: false,
            },
          ],
        },
      },
    },
  },
  server: { proxy: { "/api": "http://127.0.0.1:8710" } },
  test: {
    environment: "node",
    include: ["src/**/*.test.{ts,tsx}"],
    // What the files share are libraries; our own modules are evaluated for each file anew.
    isolate: false,
    testTimeout: 60_000,
    setupFiles: ["src/testing/setup.ts"],
  },
});
