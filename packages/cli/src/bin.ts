/** The program `fdb-election`. It loads what it needs: nothing to tell its version. */
import * as fs from "node:fs"
import { rememberParent } from "./internal/run/processGroup.ts"
import { exit, print } from "./internal/standardStreams.ts"

rememberParent()

const { version } = JSON.parse(fs.readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  readonly version: string
}

const [first, ...rest] = process.argv.slice(2)

if (rest.length === 0 && (first === "--version" || first === "-v")) {
  print(`fdb-election v${version}`)
  exit(0)
}

void import("./internal/program.ts").then(({ run }) => run(version))
