import * as NodeChildProcessSpawner from "@effect/platform-node-shared/NodeChildProcessSpawner"
import * as NodeFileSystem from "@effect/platform-node-shared/NodeFileSystem"
import * as NodePath from "@effect/platform-node-shared/NodePath"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Sink from "effect/Sink"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Terminal from "effect/Terminal"
import * as fs from "node:fs"
import * as tty from "node:tty"
import { format } from "node:util"
import * as Cli from "./Cli.ts"
import * as ExitCode from "./ExitCode.ts"
import * as OutputTerminal from "./internal/outputTerminal.ts"
import * as Signals from "./internal/run/signals.ts"
import { exit, writeError, writeOutput } from "./internal/standardStreams.ts"
import * as Stores from "./internal/stores.ts"

const console: Console.Console = {
  ...globalThis.console,
  log: (...args) => {
    const failure = writeOutput(format(...args))
    if (failure === undefined) return
    // Without its output, the command has no reason to continue.
    if (failure.code === "EPIPE") exit(ExitCode.ofSignal("SIGPIPE"))
    writeError(`fdb-election: standard output cannot be written to: ${failure.message}`)
    exit(ExitCode.system)
  },
  error: (...args) => writeError(format(...args))
}

// Libraries print errors that they also throw (lmdb-js with stack traces). Standard error is for the command's own sentences only.
for (const method of ["debug", "error", "info", "log", "trace", "warn"] as const) globalThis.console[method] = () => {}

/** Describes the standard streams without opening them; see `standardStreams.ts`. */
const stdio = Stdio.make({
  args: Effect.sync(() => process.argv.slice(2)),
  stdinIsTerminal: Effect.sync(() => tty.isatty(0)),
  stdoutIsTerminal: Effect.sync(() => tty.isatty(1)),
  stderrIsTerminal: Effect.sync(() => tty.isatty(2)),
  stdout: () => Sink.drain,
  stderr: () => Sink.drain,
  stdin: Stream.empty
})

const environment = Layer.mergeAll(
  Stores.layer,
  Signals.layerProcess,
  Layer.succeed(Terminal.Terminal, OutputTerminal.terminal),
  TerminalCapabilities.layer.pipe(Layer.provideMerge(Layer.succeed(Stdio.Stdio, stdio))),
  NodeChildProcessSpawner.layer.pipe(Layer.provideMerge(Layer.merge(NodeFileSystem.layer, NodePath.layer)))
)

const { version } = JSON.parse(fs.readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  readonly version: string
}

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
