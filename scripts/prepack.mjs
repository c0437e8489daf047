// Builds the package in the current directory anew, so that its tarball has every module and no old one.
import { execFileSync } from "node:child_process"
import { rmSync } from "node:fs"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const run = (...args) => execFileSync(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] })

rmSync("dist", { recursive: true, force: true })
run(`${root}node_modules/typescript/bin/tsc`, "-b", "tsconfig.src.json")
if (/(simulation|http|cli)$/.test(process.cwd())) run(`${root}scripts/bundlePages.mjs`)
if (process.cwd().endsWith("cli")) run(`${root}scripts/bundleCommand.mjs`)
