/** The program `fdb-election`. It loads what it needs: next to nothing to tell its version and its help. */
import * as fs from "node:fs"
import { isTerminal } from "./internal/isTerminal.ts"
import { rememberParent } from "./internal/run/processGroup.ts"
import { exit, print } from "./internal/standardStreams.ts"

rememberParent()

const { version } = JSON.parse(fs.readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  readonly version: string
}

const args = process.argv.slice(2)
const [first] = args

if (args.length === 1 && (first === "--version" || first === "-v")) {
  print(`fdb-election v${version}`)
  exit(0)
}

/** What `--help` prints without colours for each subcommand, as JSON. The build writes it; a test compares it. */
const helps = new URL("./helps.json", import.meta.url)

if (args.at(-1) === "--help" && !isTerminal(1) && !process.env.FORCE_COLOR && fs.existsSync(helps)) {
  const written = new Map(Object.entries<string>(JSON.parse(fs.readFileSync(helps, "utf8"))))
  const help = written.get(args.slice(0, -1).join(" "))
  if (help !== undefined) {
    print(help)
    exit(0)
  }
}

/** The subcommands that go on until they are ended. */
const lasting = ["run", "serve", "witness"]

if (first !== undefined && lasting.includes(first)) {
  // Their young objects stay within a megabyte at a time. V8 would give them the space that the start takes, and keep it: nine megabytes.
  const { setFlagsFromString } = await import("node:v8")
  setFlagsFromString("--semi-space-growth-factor=1")
}

void import("./internal/program.ts").then(({ run }) => run(version))
