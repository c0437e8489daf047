/**
 * The command `fdb-election` as a value: from arguments to an exit code. `bin.ts` is the program. The service `Stores` opens the
 * store, so tests can run the command on any engine.
 */
import { command as simulation } from "@effect-fdb/simulation/SimulateCommand"
import * as Cause from "effect/Cause"
import { CliConfig, CliError, CliOutput, Command, GlobalFlag } from "effect/cli"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import * as ExitCode from "./ExitCode.ts"
import { CommandEnded } from "./Failure.ts"
import { candidates, evict } from "./internal/commands/candidates.ts"
import { config, disable, enable, init } from "./internal/commands/config.ts"
import { doctor, Version } from "./internal/commands/doctor.ts"
import { history } from "./internal/commands/history.ts"
import { CommandLine, root } from "./internal/commands/root.ts"
import { run } from "./internal/commands/run.ts"
import { serve } from "./internal/commands/serve.ts"
import { status, watch } from "./internal/commands/status.ts"
import { stepDown } from "./internal/commands/stepDown.ts"
import { exportElection, importElection, raiseTerms } from "./internal/commands/terms.ts"
import { witness } from "./internal/commands/witness.ts"
import * as Durations from "./internal/durations.ts"
import { handled } from "./internal/handled.ts"
import { MessageFormat, messageLine } from "./internal/messages.ts"

export { Signals } from "./internal/run/processSignals.ts"
export { type LaggingReader, type Store, Stores } from "./internal/stores.ts"

const simulate = simulation.pipe(
  Command.provide(
    Layer.unwrap(Effect.promise(() => import("@effect/platform-node-shared/NodeFileSystem").then(({ layer }) => layer)))
  )
)

export const command = root.pipe(
  Command.withHandler((flags) => handled(({ next }) => next(flags))),
  Command.withDescription(
    "Elects one leader among any number of processes, on one host (LMDB) or many (FoundationDB). `fdb-election run` " +
      "makes any command a singleton; the other subcommands read and change elections."
  ),
  Command.withExamples([
    { command: "fdb-election run -- ./scheduler.sh", description: "In three terminals: one runs it, two wait" },
    { command: "fdb-election watch", description: "In a fourth terminal: watch the leader" },
    { command: "fdb-election step-down", description: "In a fifth terminal: end the leadership" }
  ]),
  Command.withSubcommands([
    { group: "Run", commands: [run] },
    { group: "Read", commands: [status, watch, candidates, history, doctor, serve] },
    { group: "Change", commands: [init, config, enable, disable, stepDown, evict] },
    { group: "Keep", commands: [witness, exportElection, importElection, raiseTerms] },
    { group: "Test", commands: [simulate] }
  ])
)

const oneLine = (text: string): string => text.replaceAll(/\?\s*\n\s*/g, "? ").replaceAll(/\s*\n\s*/g, "; ").trim()

const report = (message: string): Effect.Effect<void, never, MessageFormat> =>
  Effect.flatMap(
    Effect.all([MessageFormat, Clock.currentTimeMillis]),
    ([format, millis]) => Console.error(messageLine(format, millis, "error", message))
  )

/** Reports a wrong command line in one sentence that refers to `--help`, instead of the whole help. */
const presenter = (format: MessageFormat["Service"]): Layer.Layer<never> =>
  CliOutput.layerPresenter({
    present: (event) => {
      if (event._tag !== "InvalidInvocation") return CliOutput.defaultPresenter.present(event)
      const problems = oneLine(event.errors.map((error) => error.message).join("; "))
      const separator = event.commandPath.at(-1) === run.name ? "; flags of the command to run go after --" : ""
      return Effect.provideService(
        report(`${problems}; see \`${event.commandPath.join(" ")} --help\`${separator}`),
        MessageFormat,
        format
      )
    }
  })

/** Without the wizard, which would read from the terminal of the command. */
const cliConfig = CliConfig.layer({
  builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions, GlobalFlag.LogLevel]
})

const logger = (format: MessageFormat["Service"]) =>
  Logger.make<unknown, void>(({ cause, date, fiber, logLevel, message }) => {
    const parts = Array.isArray(message) ? message.map(String) : [String(message)]
    if (cause.reasons.length > 0) {
      parts.push(oneLine(Cause.prettyErrors(cause).map((error) => error.message).join("; ")))
    }
    const level = logLevel.toLowerCase()
    const text = `${format.current === "text" ? `${level}: ` : ""}${parts.join(" ")}`
    fiber.getRef(Console.Console).error(messageLine(format, date.getTime(), level, text))
  })

const messageOf = (error: unknown): string => error instanceof Error ? error.message : String(error)

/** Messages with these codes come from the system: they may have several lines, and contain no id of a candidate. */
const systemCodes: ReadonlySet<number> = new Set([ExitCode.unavailable, ExitCode.internal, ExitCode.system])

const conclude = (exit: Exit.Exit<void, unknown>): Effect.Effect<number, never, MessageFormat> => {
  if (Exit.isSuccess(exit)) return Effect.succeed(ExitCode.ok)
  if (Cause.hasInterruptsOnly(exit.cause)) return Effect.succeed(ExitCode.interrupted)
  const error = Cause.squash(exit.cause)
  if (error instanceof CommandEnded) return Effect.succeed(error.status)
  if (CliError.isCliError(error)) {
    if (error._tag === "ShowHelp") return Effect.succeed(error.errors.length > 0 ? ExitCode.usage : ExitCode.ok)
    return Effect.as(report(oneLine(error.message)), ExitCode.usage)
  }
  const code = ExitCode.ofError(error)
  const message = systemCodes.has(code) ? oneLine(messageOf(error)) : messageOf(error)
  return Effect.as(
    report(code === ExitCode.internal ? `an internal error, please report it: ${message}` : message),
    code
  )
}

/** Runs the command and returns its exit code. Never fails: it reports failures on standard error. */
export const main = (args: ReadonlyArray<string>, options: { readonly version: string }) =>
  Effect.suspend(() => {
    const format: MessageFormat["Service"] = { current: "text" }
    return Durations.refuseNegative(args).pipe(
      Effect.andThen(Command.runWith(command, options)(args)),
      Effect.provideService(CommandLine, args),
      Effect.provideService(Version, options.version),
      Effect.provide([presenter(format), cliConfig, Logger.layer([logger(format)])]),
      Effect.provideService(References.MinimumLogLevel, "Error"),
      Effect.exit,
      Effect.flatMap(conclude),
      Effect.provideService(MessageFormat, format)
    )
  })
