// The type check: TypeScript 7 with Effect's diagnostics (floating effects, leaking requirements, …).
import { execFileSync, spawnSync } from "node:child_process"

const compiler = execFileSync("npx", ["--no-install", "effect-tsgo", "get-exe-path"], {
  encoding: "utf8",
  stdio: ["ignore", "pipe", "ignore"]
}).trim()
const { status } = spawnSync(compiler, ["-b", ...process.argv.slice(2)], { stdio: "inherit" })
process.exitCode = status ?? 1
