/** `npm run simulate`. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { command } from "./SimulateCommand.ts"

command.pipe(
  Command.run({ version: "0.1.0" }),
  Effect.catchTags({
    PromiseBroken: (error) =>
      Effect.andThen(Console.error(error.message), Effect.sync(() => void (process.exitCode = 1))),
    Unusable: (error) => Effect.andThen(Console.error(error.message), Effect.sync(() => void (process.exitCode = 64)))
  }),
  Effect.provide(NodeServices.layer),
  (main) => NodeRuntime.runMain(main)
)
