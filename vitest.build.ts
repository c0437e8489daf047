/**
 * Builds, once for all tests, what some of them start as processes or look at: Node runs no TypeScript, and a fresh clone has
 * nothing built. The command depends on every package that they need.
 */
import { execFileSync } from "node:child_process"

const run = (...args: ReadonlyArray<string>) =>
  execFileSync(process.execPath, args, { cwd: import.meta.dirname, stdio: "inherit" })

export default (): void => {
  run("node_modules/typescript/bin/tsc", "-b", "packages/cli/tsconfig.src.json")
  run("scripts/bundlePages.mjs")
  run("scripts/bundleCommand.mjs")
}
