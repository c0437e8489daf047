/**
 * The work of a tenure: the command, from before its beginning to the end of the last process of its group.
 *
 * Nothing of it is left when this ends, however it ends; so the resignation that follows comes after it.
 */
import type { Leadership } from "@effect-fdb/leader-election"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as CommandProcess from "./launcherProcess.ts"
import type { Begin } from "./launcherProgram.ts"
import { endIfGone, refusing, signalGroup } from "./processGroup.ts"
import type { WatchdogProcess } from "./watchdogProcess.ts"

/** What the supervision is told from outside while it runs. */
export interface Supervision {
  readonly watchdog: WatchdogProcess
  readonly command: (leadership: Leadership) => Begin
  /** By the lease as it was last renewed, in nanoseconds; see `deadlines.ts`. */
  readonly grace: () => bigint
  /** The last instant for SIGKILL, on the monotonic clock, by the lease as it was last renewed. */
  readonly killAt: () => bigint
  /** There is a group: it is to be told each later deadline. */
  readonly launched: (until: (killAt: bigint) => void) => void
  /** The command has begun, and can be sent signals from now on. */
  readonly begun: (running: Running) => void
  /** The command has ended, and something of its group has not. */
  readonly leftBehind: Effect.Effect<void>
  /** A process of the command cannot be sent signals. */
  readonly outOfReach: (pid: number) => Effect.Effect<void>
}

/** The command while it runs. */
export interface Running {
  /** Sends a signal to all of it. */
  readonly signal: (signal: NodeJS.Signals) => void
  /** If it has the terminal, and is told by that what is typed: the shell that gives it that. */
  readonly helper: CommandProcess.Helper | undefined
}

const pollInterval = Duration.millis(5)

/** Waits until nothing of the group is left, sending SIGKILL from `killAt` on. */
const untilGone = (group: number, killAt: () => bigint): Effect.Effect<void> =>
  Effect.gen(function*() {
    while (!endIfGone(group)) {
      if ((yield* Clock.monotonicTimeNanos) >= killAt()) signalGroup(group, "SIGKILL")
      yield* Effect.sleep(pollInterval)
    }
  })

const stop = Effect.fnUntraced(function*(
  { grace, watchdog, killAt, leftBehind }: Supervision,
  leadership: Leadership,
  { group, settled }: CommandProcess.CommandProcess,
  hasEnded: boolean
) {
  // What is about to begin would miss the signal.
  yield* Effect.timeoutOption(settled, "1 second")
  if (!endIfGone(group)) {
    const held = yield* leadership.isHeld
    yield* watchdog.stopping
    signalGroup(group, "SIGTERM")
    // A stopped process gets to see SIGTERM only when it goes on.
    signalGroup(group, "SIGCONT")
    if (hasEnded) yield* leftBehind
    const patience = (yield* Clock.monotonicTimeNanos) + grace()
    yield* untilGone(group, () => held && patience < killAt() ? patience : killAt())
  }
})

/** Tells of a process that has become another user's, as `sudo` does, soon after it has; most do so when they begin. */
const watchReach = (group: number, outOfReach: Supervision["outOfReach"]): Effect.Effect<never> =>
  Effect.gen(function*() {
    for (let pause = 50; true; pause = Math.min(2 * pause, 10_000)) {
      const [pid] = refusing(group)
      if (pid !== undefined) {
        yield* outOfReach(pid)
        return yield* Effect.never
      }
      yield* Effect.sleep(Duration.millis(pause))
    }
  })

/** Runs the command; interrupting it ends the command. */
export const supervise = (
  supervision: Supervision
) =>
(leadership: Leadership): Effect.Effect<CommandProcess.ExitStatus, CommandProcess.StartFailure> => {
  let toldToBegin = false
  let hasEnded = false
  const { watchdog } = supervision
  return Effect.acquireUseRelease(
    CommandProcess.start,
    (process) =>
      Effect.gen(function*() {
        const { begin, exited, group, helper, until } = process
        until(supervision.killAt())
        supervision.launched(until)
        yield* watchdog.guard(group, helper?.pid)
        if (!(yield* leadership.isHeld)) return yield* Effect.never
        toldToBegin = true
        yield* begin(supervision.command(leadership))
        supervision.begun({ signal: (signal) => void signalGroup(group, signal), helper })
        return yield* exited.pipe(
          Effect.tap(() =>
            Effect.sync(() => {
              hasEnded = true
            })
          ),
          Effect.raceFirst(watchdog.died),
          Effect.raceFirst(watchReach(group, supervision.outOfReach))
        )
      }),
    (process) =>
      Effect.gen(function*() {
        yield* toldToBegin ? stop(supervision, leadership, process, hasEnded) : process.forbid
        process.helper?.dismiss()
        yield* process.exited
        yield* watchdog.gone
      })
  )
}
