import { defineConfig } from "vite";
import { compressed, PAGE } from "./compressed.ts";

/** The one script for other applications' pages: whole in itself, at an address that stays. */
export default defineConfig({
  plugins: [compressed(/^embed\.js$/)],
  publicDir: false,
  build: {
    outDir: PAGE,
    emptyOutDir: false,
    license: false,
    lib: {
      entry: "src/embed/main.ts",
      formats: ["iife"],
      name: "SeatrialEmbed",
      fileName: () => "embed.js",
    },
  },
});
