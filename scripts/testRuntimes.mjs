// Runs the suite on the other versions of Node that the packages support, each from npm's package `node`, and the README's first program
// and the example of a test on Bun and Deno, from npm's packages of these names. Arguments go to vitest: `npm run test:runtimes -- packages/core`.
import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const home = mkdtempSync(join(tmpdir(), "effect-fdb-runtimes-"))
// Inside of the repository, where the packages are found.
const program = join(root, "examples/dist/first.mjs")
const options = process.argv.slice(2)
const failed = []

const run = (command, args, cwd) => spawnSync(command, args, { cwd, stdio: "inherit" }).status === 0
const check = (name, ok) => {
  console.log(`${ok ? "passed" : "FAILED"}: ${name}`)
  if (!ok) failed.push(name)
}
/** Installs a runtime with its script, which fetches or links the binary, away from the repository. */
const install = (what) => {
  const directory = mkdtempSync(join(home, "runtime-"))
  writeFileSync(join(directory, "package.json"), "{}")
  const ok = run(
    "npm",
    ["install", "--ignore-scripts=false", "--no-fund", "--no-audit", "--loglevel=error", what],
    directory
  )
  return ok ? directory : undefined
}

try {
  for (const version of ["22", "24", "26"]) {
    const directory = install(`node@${version}`)
    const suite = [join(root, "node_modules/vitest/vitest.mjs"), "run", "--config", "vitest.workspace.ts", ...options]
    check(
      `the suite on Node ${version}`,
      directory !== undefined && run(join(directory, "node_modules/.bin/node"), suite, root)
    )
  }
  writeFileSync(program, /^```ts\n(.*?)^```$/ms.exec(readFileSync(join(root, "README.md"), "utf8"))[1])
  for (const [name, ...args] of [["bun"], ["deno", "run", "--allow-all"]]) {
    const directory = install(name)
    check(
      `the first program on ${name}`,
      directory !== undefined && run(join(directory, "node_modules/.bin", name), [...args, program], root)
    )
  }
} finally {
  rmSync(home, { recursive: true, force: true })
  rmSync(program, { force: true })
}
if (failed.length > 0) console.error(`failed: ${failed.join(", ")}`)
process.exitCode = failed.length > 0 ? 1 : 0
