// Bundles the pages into one file each: that of the simulation's reports, with places for the title and the data of each, and that of
// the elections.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { build } from "vite"

const bundle = async (name, folder, file) => {
  const root = fileURLToPath(new URL(`../packages/${name}/`, import.meta.url))
  const [{ output }] = await build({
    root,
    configFile: false,
    logLevel: "error",
    build: {
      lib: { entry: `${folder}/main.ts`, formats: ["es"], fileName: () => "page.js" },
      write: false,
      minify: true
    }
  })
  const style = readFileSync(`${root}${folder}/style.css`, "utf8")
  // Nothing may end the script but its end.
  const script = output[0].code.replaceAll("</script", "<\\/script")
  const page = readFileSync(`${root}${folder}/index.html`, "utf8")
  mkdirSync(`${root}dist`, { recursive: true })
  writeFileSync(`${root}dist/${file}`, page.replace("{{style}}", () => style).replace("{{script}}", () => script))
}

await bundle("simulation", "report", "report.html")
await bundle("http", "page", "page.html")
