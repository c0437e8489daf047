// Bundles the page of the simulation's reports into one file, with places for the title and the data of each.
import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { build } from "vite"

const root = fileURLToPath(new URL("../packages/simulation/", import.meta.url))

const [{ output }] = await build({
  root,
  configFile: false,
  logLevel: "error",
  build: {
    lib: { entry: "report/main.ts", formats: ["es"], fileName: () => "report.js" },
    write: false,
    minify: true
  }
})

const style = readFileSync(`${root}report/style.css`, "utf8")
// Nothing may end the script but its end.
const script = output[0].code.replaceAll("</script", "<\\/script")
const page = readFileSync(`${root}report/index.html`, "utf8")
writeFileSync(
  `${root}dist/report.html`,
  page.replace("{{style}}", () => style).replace("{{script}}", () => script)
)
