#!/usr/bin/env node
const { existsSync } = require("node:fs")
const { join } = require("node:path")

const program = join(__dirname, "../bundle/bin.mjs")
if (existsSync(program)) {
  void import(program)
} else {
  console.error("fdb-election: it is not built yet: run `npm run build` in the repository first")
  process.exitCode = 70
}
