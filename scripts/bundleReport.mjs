// Bundles the program of the simulation's report into one file, which each report has in its page.
import { fileURLToPath } from "node:url"
import { build } from "vite"

const root = fileURLToPath(new URL("../packages/simulation/", import.meta.url))

await build({
  root,
  configFile: false,
  logLevel: "error",
  build: {
    lib: { entry: "report/main.ts", formats: ["es"], fileName: () => "report.js" },
    outDir: "dist",
    emptyOutDir: false,
    minify: true
  }
})
