// Builds the site: TypeDoc writes the API and the guides, esbuild the playground, and every link is followed.
import { Mutants } from "@effect-fdb/simulation"
import { build } from "esbuild"
import { LinkChecker } from "linkinator"
import { copyFileSync, readFileSync, rmSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { Application } from "typedoc"
import options from "./typedoc.config.mjs"

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const built = fileURLToPath(new URL("../", import.meta.resolve("@effect-fdb/simulation")))

/** Mutants that are worth a look: two leaders at once, or a write that a guard should have refused. */
const shown = [
  "ballot-not-observed",
  "belief-from-the-commit",
  "guard-on-a-snapshot",
  "observed-from-before-the-read",
  "shortened-without-limit",
  "slots-all-admitted",
  "takeover-by-wall-clock"
]

/** The page of the report instead of the file system, from which a report takes it. */
const reportPage = {
  name: "report page",
  setup: ({ onLoad, onResolve }) => {
    onResolve({ filter: /^node:fs$/ }, () => ({ path: "page", namespace: "report" }))
    onResolve({ filter: /^node:/ }, ({ path }) => ({ path, namespace: "absent" }))
    onLoad({ filter: /.*/, namespace: "absent" }, () => ({ contents: "module.exports = {}" }))
    onLoad({ filter: /.*/, namespace: "report" }, () => ({
      contents: `exports.readFileSync = () => ${JSON.stringify(readFileSync(`${built}dist/report.html`, "utf8"))}`
    }))
  }
}

/** Changes the built files as a mutant says. A text that is not found exactly once fails the build. */
const mutated = ({ patches }) => ({
  name: "mutant",
  setup: ({ onLoad }) =>
    onLoad({ filter: /\.js$/ }, ({ path }) => {
      const own = patches.filter(({ file, package: of }) =>
        fileURLToPath(new URL(file, import.meta.resolve(of))) === path
      )
      if (own.length === 0) return undefined
      const contents = own.reduce((text, { find, replace }) => {
        const parts = text.split(find)
        if (parts.length !== 2) throw new Error(`found ${parts.length - 1} times in ${path}: ${find}`)
        return parts.join(replace)
      }, readFileSync(path, "utf8"))
      return { contents }
    })
})

const bundle = (entry, outfile, plugins) =>
  build({
    entryPoints: [here(`playground/${entry}`)],
    outfile: here(`dist/playground/${outfile}`),
    bundle: true,
    format: "esm",
    minify: true,
    define: { shown: JSON.stringify(shown) },
    plugins: [...plugins, reportPage]
  })

rmSync(here("dist"), { recursive: true, force: true })
const app = await Application.bootstrapWithPlugins(options)
const project = await app.convert()
if (project === undefined) process.exit(1)
app.validate(project)
await app.generateOutputs(project)
if (app.logger.hasErrors() || app.logger.hasWarnings()) process.exit(1)

await bundle("main.ts", "main.js", [])
await bundle("worker.ts", "worker.js", [])
for (const name of shown) {
  await bundle("worker.ts", `worker.${name}.js`, [mutated(Mutants.all.find((mutant) => mutant.name === name))])
}
for (const file of ["index.html", "style.css"]) {
  copyFileSync(here(`playground/${file}`), here(`dist/playground/${file}`))
}

// Of other sites' links only the form can be checked without a network.
const { links } = await new LinkChecker().check({
  path: "**/*.html",
  serverRoot: here("dist"),
  recurse: true,
  checkFragments: true,
  linksToSkip: ["^https?://(?!localhost)"]
})
const broken = links.filter(({ state }) => state === "BROKEN")
for (const { parent, status, url } of broken) console.error(`${parent}: ${url} (${status})`)
console.log(`${links.length} links, ${broken.length} broken`)
process.exitCode = broken.length > 0 ? 1 : 0
