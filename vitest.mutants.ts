/**
 * Runs tests on the built files of the library, with a mutant: `npm run simulate -- mutations` starts it. What to change
 * is in the environment, as JSON.
 */
import { readFileSync } from "node:fs"
import { defineConfig, type Plugin } from "vitest/config"
import type { Patch } from "./packages/simulation/src/Mutants.ts"

const patches = JSON.parse(process.env["EFFECT_FDB_MUTANT"] ?? "[]") as ReadonlyArray<Patch>

const source = /^(.*\/packages\/(core|leader-election|simulation))\/src\/(.+)\.ts$/

/** Gives what was built of a source file, changed. */
const mutated: Plugin = {
  name: "mutated",
  enforce: "pre",
  load: (id) => {
    const [, root, name, file] = source.exec(id) ?? []
    if (root === undefined) return undefined
    let code = readFileSync(`${root}/dist/${file}.js`, "utf8").replace(/\n\/\/# sourceMappingURL=.*/, "")
    for (const patch of patches) {
      if (patch.package !== `@effect-fdb/${name}` || patch.file !== `${file}.js`) continue
      if (code.split(patch.find).length !== 2) throw new Error(`a text to be changed is not found once: ${patch.find}`)
      code = code.replace(patch.find, () => patch.replace)
    }
    return { code, map: null }
  }
}

export default defineConfig({
  plugins: [mutated],
  ssr: { resolve: { conditions: ["@effect-fdb/source", "node", "import", "default"] } },
  test: {
    include: ["packages/*/test/**/*.test.ts"],
    // What is kept from one run to the next knows nothing of mutants.
    fsModuleCache: false,
    isolate: false,
    maxWorkers: 1,
    testTimeout: 60_000
  }
})
