// Prints what `--help` prints for the command and for each subcommand, as JSON.
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import { format } from "node:util"
import * as Cli from "../../packages/cli/dist/Cli.js"
import { environment } from "../../packages/cli/dist/internal/program.js"

const { version } = JSON.parse(readFileSync(new URL("../../packages/cli/package.json", import.meta.url), "utf8"))

const helps = {}

const collect = ({ subcommands }, path) =>
  Effect.gen(function*() {
    const lines = []
    const log = (...args) => void lines.push(format(...args))
    yield* Effect.provideService(Cli.main([...path, "--help"], { version }), Console.Console, { ...console, log })
    helps[path.join(" ")] = lines.join("\n")
    for (const { commands } of subcommands) for (const one of commands) yield* collect(one, [...path, one.name])
  })

await Effect.runPromise(collect(Cli.command, []).pipe(Effect.scoped, Effect.provide(environment)))
process.stdout.write(JSON.stringify(helps))
