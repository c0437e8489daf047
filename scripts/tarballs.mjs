// Packs every published package, built anew, into a directory: `npm run tarballs -- DIRECTORY`, `build/tarballs` here unless given.
import { spawnSync } from "node:child_process"
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { buildAnew } from "./buildAnew.mjs"

const root = fileURLToPath(new URL("..", import.meta.url))
const out = resolve(process.argv[2] ?? join(root, "build/tarballs"))

const isPrivate = (name) => JSON.parse(readFileSync(join(root, "packages", name, "package.json"), "utf8")).private
const names = readdirSync(join(root, "packages")).filter((name) => !isPrivate(name))

buildAnew(names)
rmSync(out, { recursive: true, force: true })
mkdirSync(out, { recursive: true })
const { status } = spawnSync(
  "npm",
  [
    "pack",
    "--silent",
    "--ignore-scripts",
    "--pack-destination",
    out,
    ...names.flatMap((name) => ["-w", `packages/${name}`])
  ],
  { cwd: root, stdio: ["ignore", "ignore", "inherit"] }
)
for (const file of readdirSync(out)) console.log(join(out, file))
process.exitCode = status ?? 1
