#!/usr/bin/env node
import { existsSync } from "node:fs"

const program = new URL("../dist/bin.js", import.meta.url)
if (existsSync(program)) {
  await import(new URL("../dist/internal/run/processGroup.js", import.meta.url))
  await import(program)
} else {
  console.error("fdb-election: it is not built yet: run `npm run build` in the repository first")
  process.exitCode = 70
}
