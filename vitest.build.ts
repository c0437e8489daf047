/**
 * Builds, once for all tests, what some of them start as processes or look at: Node runs no TypeScript, and a fresh clone has
 * nothing built. The command depends on every package that they need.
 */
import { execFileSync } from "node:child_process"

export default (): void => {
  execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-b", "packages/cli/tsconfig.src.json"], {
    cwd: import.meta.dirname,
    stdio: "inherit"
  })
}
