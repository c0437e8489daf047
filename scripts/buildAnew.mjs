import { execFileSync } from "node:child_process"
import { rmSync } from "node:fs"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const run = (...args) => execFileSync(process.execPath, args, { cwd: root, stdio: ["ignore", "ignore", "inherit"] })

/** Builds packages, and what they need; of these packages, nothing of an earlier build is left. */
export const buildAnew = (names) => {
  for (const name of names) rmSync(`${root}packages/${name}/dist`, { recursive: true, force: true })
  run("node_modules/typescript/bin/tsc", "-b", ...names.map((name) => `packages/${name}/tsconfig.src.json`))
  if (names.some((name) => ["simulation", "http", "cli"].includes(name))) run("scripts/bundlePages.mjs")
  if (names.includes("cli")) run("scripts/bundleCommand.mjs")
}
