/** `npm run simulate`. Exit codes: 0, 1 where a promise was broken, 64 where the command line is wrong. */
import * as NodeRuntime from "@effect/platform-node-shared/NodeRuntime"
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import * as NodeServices from "./internal/nodeServices.ts"
import { command } from "./SimulateCommand.ts"

/** A failure that has been explained already needs no more than its sentence, and its exit code. */
const end = (code: number) => (error: { readonly message: string }) =>
  Effect.andThen(
    Console.error(error.message),
    Effect.sync(() => {
      process.exitCode = code
    })
  )

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  readonly version: string
}

Command.run(command, { version }).pipe(
  Effect.catchTags({
    PromiseBroken: end(1),
    Unusable: end(64),
    // It has been told what is wrong, or was asked for help.
    ShowHelp: ({ errors }) =>
      Effect.sync(() => {
        process.exitCode = errors.length === 0 ? 0 : 64
      })
  }),
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain
)
