/**
 * How signals travel: the wrapper takes them, and sends them to the process group of its command, the launcher's. One that asks to
 * end is followed by SIGCONT, for a stopped process sees no signal, and a stopped launcher does not tell that the command has
 * ended. Without a command, it ends the wrapper.
 *
 * On a terminal that the command has, what is typed goes to the command, and the wrapper is told by the shell that gave the terminal
 * away. Ctrl-Z stops the command, that shell, and then the wrapper; `fg` takes the same way back.
 */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as os from "node:os"
import * as ExitCode from "../../ExitCode.ts"
import type { LauncherProcess } from "./launcherProcess.ts"
import { endGroup, parentIsGone, signalGroup } from "./processGroup.ts"
import { foregroundGroup, hasTerminal } from "./terminal.ts"
import type { Transactions } from "./transactions.ts"

type Handle = (signal: NodeJS.Signals) => void

/** Signals that this process gets. */
export class Signals extends Context.Service<Signals, {
  /** Hands these signals to `handle` instead of what they do by default, until the scope is closed. The last taker gets them. */
  readonly take: (signals: ReadonlyArray<NodeJS.Signals>, handle: Handle) => Effect.Effect<void, never, Scope.Scope>
}>()("@effect-fdb/cli/Signals") {}

/** Those of this operating system process. */
export const layerProcess: Layer.Layer<Signals> = Layer.sync(Signals, () => {
  const takers: Array<{ readonly signals: ReadonlyArray<NodeJS.Signals>; readonly handle: Handle }> = []
  const takerOf = (signal: NodeJS.Signals) => takers.findLast(({ signals }) => signals.includes(signal))
  const deliver = (signal: NodeJS.Signals) => takerOf(signal)?.handle(signal)
  return {
    take: Effect.fnUntraced(function*(signals, handle) {
      const taker = { signals, handle }
      for (const signal of signals) if (takerOf(signal) === undefined) process.on(signal, deliver)
      takers.push(taker)
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          takers.splice(takers.indexOf(taker), 1)
          for (const signal of signals) if (takerOf(signal) === undefined) process.off(signal, deliver)
        })
      )
    })
  }
})

export const ends: ReadonlyArray<NodeJS.Signals> = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"]

/** Those that a command gets which is typed Ctrl-C or Ctrl-\ on its own terminal. */
const typedEnds: ReadonlyArray<number> = ["SIGINT" as const, "SIGQUIT" as const]
  .map((signal) => ExitCode.ofSignal(os.constants.signals[signal]))

/** Stops this process as a terminal does; where nobody is there to make it go on, the system lets it go on at once. */
const stopThisProcess = (): void => {
  const listeners = process.listeners("SIGTSTP")
  process.removeAllListeners("SIGTSTP")
  process.kill(process.pid, "SIGTSTP")
  for (const listener of listeners) process.on("SIGTSTP", listener)
}

/** The signals of the wrapper, and the command that they go to. */
export class CommandSignals {
  private launcher: LauncherProcess | undefined
  /** Signals that came after the command had been told to begin, and before it was known to have begun. */
  private early: Array<NodeJS.Signals> | undefined
  private suspended = false
  /** The command has the terminal, or had it when it last ran. */
  private onTerminal = false
  private endedBy: NodeJS.Signals | undefined
  /** The wrapper was asked to end while there was no command to ask; with the exit code. */
  readonly interrupted = Deferred.makeUnsafe<number>()
  private readonly transactions: Transactions

  constructor(transactions: Transactions) {
    this.transactions = transactions
  }

  /** Takes the signals of this process, until the scope is closed. */
  readonly take = Effect.flatMap(Signals, ({ take }) =>
    Effect.all([
      take([...ends, "SIGUSR1", "SIGUSR2", "SIGWINCH"], (signal) => this.forward(signal)),
      take(["SIGTSTP"], () => this.suspend()),
      take(["SIGCONT"], () => this.resume()),
      // A shell that cannot have the terminal after all stops its whole group by this; it is not to stop this process.
      take(["SIGTTIN"], () => {})
    ]))

  /** A command is told to begin. It may run before this process knows. */
  starting(): void {
    this.early = []
  }

  begin(launcher: LauncherProcess): void {
    this.launcher = launcher
    this.early?.forEach((signal) => this.signalCommand(signal))
    this.early = undefined
    this.onTerminal = launcher.helper !== undefined
    this.suspended = false
  }

  end(): void {
    this.launcher = undefined
    this.early = undefined
  }

  /** Whether the wrapper ends when its command has. */
  get isEnding(): boolean {
    return this.endedBy !== undefined || this.hasHungUp
  }

  /** The same, of a command that has ended with this status: whoever typed Ctrl-C wants no other command. */
  isEndingAfter(status: number): boolean {
    return this.isEnding || (this.onTerminal && typedEnds.includes(status))
  }

  private forward(signal: NodeJS.Signals): void {
    const isEnd = ends.includes(signal)
    if (isEnd) this.endedBy = signal
    if (this.launcher !== undefined) (isEnd ? endGroup : signalGroup)(this.launcher.group, signal)
    else if (isEnd) {
      Deferred.doneUnsafe(this.interrupted, Effect.succeed(ExitCode.ofSignal(os.constants.signals[signal])))
    } else this.early?.push(signal)
  }

  private signalCommand(signal: NodeJS.Signals): void {
    if (this.launcher !== undefined) signalGroup(this.launcher.group, signal)
  }

  /** Ctrl-Z has reached this process, or the command, whose shell hands it on. */
  private suspend(): void {
    this.signalCommand("SIGSTOP")
    this.transactions.whenNone(this.stop)
  }

  private readonly stop = (): void => {
    stopThisProcess()
    this.suspended = true
    this.resume()
  }

  /** The wrapper was made to go on, in the foreground or in the background. */
  private resume(): void {
    if (!this.suspended) return
    this.regainTerminal()
    if (this.suspended) this.signalCommand("SIGCONT")
  }

  /** Gives the terminal back to the command when the wrapper has it. A shell says nothing of that to what runs in the background. */
  private regainTerminal(): void {
    const helper = this.launcher?.helper
    if (!this.suspended || helper === undefined || foregroundGroup() === undefined) return
    this.suspended = false
    helper.foreground()
  }

  /** The terminal has hung up. SIGHUP tells its foreground group, which is the command's where that has the terminal. */
  private get hasHungUp(): boolean {
    return this.onTerminal && !hasTerminal()
  }

  /** Looks for what no signal tells this process of. */
  watchSurroundings(exitWithParent: boolean): Effect.Effect<never> {
    return Effect.gen({ self: this }, function*() {
      while (true) {
        this.regainTerminal()
        if (this.hasHungUp || (exitWithParent && parentIsGone())) {
          this.forward(this.hasHungUp ? "SIGHUP" : "SIGTERM")
          return yield* Effect.never
        }
        yield* Effect.sleep("500 millis")
      }
    })
  }
}
