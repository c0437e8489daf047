/** Runs the command in this process. */
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import { ChildProcessSpawner, make as makeSpawner } from "effect/process/ChildProcessSpawner"
import * as Sink from "effect/Sink"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Terminal from "effect/Terminal"
import { format } from "node:util"
import * as Cli from "../Cli.ts"
import * as ExitCode from "../ExitCode.ts"
import { isTerminal } from "./isTerminal.ts"
import * as OutputTerminal from "./outputTerminal.ts"
import * as Signals from "./run/processSignals.ts"
import { exit, print, writeError } from "./standardStreams.ts"
import * as Stores from "./stores.ts"

const console: Console.Console = {
  ...globalThis.console,
  log: (...args) => print(format(...args)),
  error: (...args) => writeError(format(...args))
}

// Libraries print errors that they also throw (lmdb-js with stack traces). Standard error is for the command's own sentences only.
for (const method of ["debug", "error", "info", "log", "trace", "warn"] as const) globalThis.console[method] = () => {}

/** Describes the standard streams without opening them; see `standardStreams.ts`. */
const stdio = Stdio.make({
  args: Effect.sync(() => process.argv.slice(2)),
  stdinIsTerminal: Effect.sync(() => isTerminal(0)),
  stdoutIsTerminal: Effect.sync(() => isTerminal(1)),
  stderrIsTerminal: Effect.sync(() => isTerminal(2)),
  stdout: () => Sink.drain,
  stderr: () => Sink.drain,
  stdin: Stream.empty
})

export const environment = Layer.mergeAll(
  Stores.layer,
  Signals.layerProcess,
  Layer.succeed(Terminal.Terminal, OutputTerminal.terminal),
  TerminalCapabilities.layer.pipe(Layer.provideMerge(Layer.succeed(Stdio.Stdio, stdio))),
  // The library that parses the command line has flags of files, and prompts. This command has neither.
  FileSystem.layerNoop({}),
  Path.layer,
  Layer.succeed(ChildProcessSpawner, makeSpawner(() => Effect.die("the command starts its processes itself")))
)

/** Runs the command with the arguments of this process, and ends the process. */
export const run = (version: string): void => {
  let endedBy: NodeJS.Signals | undefined

  const fiber = Effect.runFork(
    Effect.gen(function*() {
      const { take } = yield* Signals.Signals
      yield* take(Signals.ends, (signal) => {
        endedBy = signal
        fiber.interruptUnsafe()
      })
      return yield* Cli.main(process.argv.slice(2), { version })
    }).pipe(
      Effect.scoped,
      Effect.provide(environment),
      Effect.provideService(Console.Console, console)
    )
  )

  const fail = (cause: unknown): never => {
    writeError(`fdb-election: an internal error, please report it: ${cause instanceof Error ? cause.message : cause}`)
    return exit(ExitCode.internal)
  }
  process.on("uncaughtException", fail)
  process.on("unhandledRejection", fail)

  const keepAlive = setInterval(() => {}, 2 ** 31 - 1)
  fiber.addObserver((ended) => {
    clearInterval(keepAlive)
    if (endedBy !== undefined) exit(ExitCode.ofSignal(endedBy))
    exit(Exit.isSuccess(ended) ? ended.value : ExitCode.internal)
  })
}
