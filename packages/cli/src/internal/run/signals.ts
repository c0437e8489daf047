/**
 * Forwards the wrapper's signals to the process group of its command. Without a command, a signal that ends processes ends the wrapper.
 *
 * If the command has the terminal, typed signals go to the command, and the helper shell that gave it the terminal informs the
 * wrapper. Ctrl-Z stops the command, then that shell, then the wrapper; `fg` resumes them in the opposite order.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as ExitCode from "../../ExitCode.ts"
import * as ControllingTerminal from "./controllingTerminal.ts"
import type { LauncherProcess } from "./launcherProcess.ts"
import { endGroup, parentIsGone, signalGroup } from "./processGroup.ts"
import { ends, Signals } from "./processSignals.ts"
import type { Transactions } from "./transactions.ts"

/** The exit codes of a command that ends by Ctrl-C or Ctrl-\ on its own terminal. */
const typedEnds: ReadonlyArray<number> = [ExitCode.ofSignal("SIGINT"), ExitCode.ofSignal("SIGQUIT")]

/** What {@link CommandSignals} does to this process, and asks about its terminal. */
export interface JobControl {
  /** Stops this process, and returns when it continues. */
  readonly stop: () => void
  readonly isForeground: () => boolean
}

/** Stops this process as a terminal does. In an orphaned process group, the system ignores the stop. */
const stopThisProcess = (): void => {
  const listeners = process.listeners("SIGTSTP")
  process.removeAllListeners("SIGTSTP")
  process.kill(process.pid, "SIGTSTP")
  for (const listener of listeners) process.on("SIGTSTP", listener)
}

export class CommandSignals {
  private launcher: Pick<LauncherProcess, "group" | "helper"> | undefined
  /** Signals that arrived before the confirmation that the command has begun; `undefined` from then on. */
  private early: Array<NodeJS.Signals> | undefined
  /** Whether the wrapper was stopped, and has not given the terminal to the command since. */
  private suspended = false
  /** Whether the command has the terminal, or had it when it last ran. */
  private onTerminal = false
  private endedBy: NodeJS.Signals | undefined
  /** The exit code, after a signal has ended the wrapper while no command ran. */
  readonly interrupted = Deferred.makeUnsafe<number>()
  private readonly transactions: Transactions
  private readonly jobControl: JobControl

  constructor(
    transactions: Transactions,
    jobControl: JobControl = {
      stop: stopThisProcess,
      isForeground: () => ControllingTerminal.foregroundGroup() !== undefined
    }
  ) {
    this.transactions = transactions
    this.jobControl = jobControl
  }

  readonly take = Effect.flatMap(Signals, ({ take }) =>
    Effect.all([
      take([...ends, "SIGUSR1", "SIGUSR2", "SIGWINCH"], (signal) => this.forward(signal)),
      take(["SIGTSTP"], () => this.suspend()),
      take(["SIGCONT"], () => this.resume()),
      // A helper shell that cannot get the terminal stops its group by SIGTTIN, which must not stop this process.
      take(["SIGTTIN"], () => {})
    ]))

  /**
   * A launcher is there, and will get the order to begin. The command may run, and Ctrl-Z may stop it and its launcher, before the
   * confirmation arrives; then `fg` has to give the terminal back to them, or the confirmation never comes.
   */
  starting(launcher: Pick<LauncherProcess, "group" | "helper">): void {
    this.launcher = launcher
    this.early = []
    this.onTerminal = launcher.helper !== undefined
    this.resume()
  }

  /** The command runs, and does not miss a signal. */
  begin(): void {
    this.early?.forEach((signal) => this.signalCommand(signal))
    this.early = undefined
  }

  end(): void {
    this.launcher = undefined
    this.early = undefined
  }

  /** Whether the wrapper ends after its command. */
  get isEnding(): boolean {
    return this.endedBy !== undefined || this.hasHungUp
  }

  /** The same after a command that ended with `status`: after a typed Ctrl-C, no other command may begin. */
  isEndingAfter(status: number): boolean {
    return this.isEnding || (this.onTerminal && typedEnds.includes(status))
  }

  private forward(signal: NodeJS.Signals): void {
    const isEnd = ends.includes(signal)
    if (isEnd) this.endedBy = signal
    if (this.launcher !== undefined && this.early === undefined) {
      ;(isEnd ? endGroup : signalGroup)(this.launcher.group, signal)
    } else if (isEnd) {
      Deferred.doneUnsafe(this.interrupted, Effect.succeed(ExitCode.ofSignal(signal)))
    } else this.early?.push(signal)
  }

  private signalCommand(signal: NodeJS.Signals): void {
    if (this.launcher !== undefined) signalGroup(this.launcher.group, signal)
  }

  /** Ctrl-Z has reached this process, or the command, whose helper shell forwards it. */
  private suspend(): void {
    this.signalCommand("SIGSTOP")
    this.transactions.whenNone(this.stop)
  }

  private readonly stop = (): void => {
    this.jobControl.stop()
    this.suspended = true
    this.resume()
  }

  private resume(): void {
    if (!this.suspended) return
    this.regainTerminal()
    if (this.suspended) this.signalCommand("SIGCONT")
  }

  /** Gives the terminal back to the command if the wrapper has it. No signal reports that the wrapper got it. */
  private regainTerminal(): void {
    const helper = this.launcher?.helper
    if (!this.suspended || helper === undefined || !this.jobControl.isForeground()) return
    this.suspended = false
    helper.foreground()
  }

  /** Whether the terminal has hung up. SIGHUP goes only to its foreground group, which may be the command's. */
  private get hasHungUp(): boolean {
    return this.onTerminal && !ControllingTerminal.hasTerminal()
  }

  /** Polls for the changes that no signal reports. */
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
