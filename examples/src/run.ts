/** `npm run example NAME`: runs one of the examples; without a name, tells which there are. */
import * as NodeRuntime from "@effect/platform-node-shared/NodeRuntime"
import { Console, Effect, References } from "effect"
import { examples } from "./examples.ts"

const [name] = process.argv.slice(2)
const usage = `npm run example NAME, where NAME is one of: ${Object.keys(examples).join(", ")}`

const wrongName = Effect.andThen(
  Console.error(`there is no example "${name}": ${usage}`),
  Effect.sync(() => void (process.exitCode = 1))
)

const main = name === undefined ? Console.log(usage) : examples[name] ?? wrongName

// What the library logs is left out, for the example to be seen.
NodeRuntime.runMain(Effect.provideService(main, References.MinimumLogLevel, "Error"))
