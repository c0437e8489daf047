/**
 * The work of a tenure: the command, from its beginning behind the gate to the end of the last process of its group.
 *
 * Nothing of it is left when this ends, however it ends; so the resignation that follows comes after it.
 */
import type { Leadership } from "@effect-fdb/leader-election"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { SystemRefused } from "../../Failure.ts"
import * as CommandProcess from "./commandProcess.ts"
import type { Keeper } from "./keeperProcess.ts"
import { endIfGone, signalGroup, signalProcess } from "./processGroup.ts"

/** What the supervision is told from outside while it runs. */
export interface Supervision {
  readonly keeper: Keeper
  readonly command: ReadonlyArray<string>
  readonly env: (leadership: Leadership) => NodeJS.ProcessEnv
  readonly terminalOf: number | undefined
  /** By the lease as it was last renewed, in nanoseconds; see `deadlines.ts`. */
  readonly grace: () => bigint
  /** The last instant for SIGKILL, on the monotonic clock, by the lease as it was last renewed. */
  readonly killAt: () => bigint
  /** The command begins, and can be sent signals from now on. */
  readonly begun: (running: Running) => void
  /** The command has ended, and something of its group has not. */
  readonly leftBehind: Effect.Effect<void>
}

/** The command while it runs. */
export interface Running {
  /** Sends a signal to all of it. */
  readonly signal: (signal: NodeJS.Signals) => void
  /** If it has the terminal, and is told by that what is typed: the shell that gives it that. */
  readonly helper: number | undefined
  readonly group: number
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
  { grace, keeper, killAt, leftBehind }: Supervision,
  leadership: Leadership,
  group: number
) {
  if (!endIfGone(group)) {
    const held = yield* leadership.isHeld
    yield* keeper.stopping
    signalGroup(group, "SIGTERM")
    // A stopped process gets to see SIGTERM only when it goes on.
    signalGroup(group, "SIGCONT")
    if (held) yield* leftBehind
    const patience = (yield* Clock.monotonicTimeNanos) + grace()
    yield* untilGone(group, () => held && patience < killAt() ? patience : killAt())
  }
})

/** Runs the command; interrupting it ends the command. */
export const supervise = (
  supervision: Supervision
) =>
(leadership: Leadership): Effect.Effect<CommandProcess.ExitStatus, SystemRefused> => {
  let group: number | undefined
  const { command, env, keeper, terminalOf } = supervision
  return Effect.acquireUseRelease(
    CommandProcess.start({ command, env: env(leadership), terminalOf }),
    (process) =>
      Effect.gen(function*() {
        const told = yield* process.group
        yield* keeper.guard(told, process.helper)
        if (!(yield* leadership.isHeld)) return yield* Effect.never
        yield* Effect.uninterruptible(Effect.suspend(() => {
          group = told
          supervision.begun({
            signal: (signal) => void signalGroup(told, signal),
            helper: process.helper,
            group: told
          })
          return process.begin
        }))
        return yield* Effect.raceFirst(process.exited, keeper.died)
      }),
    (process) =>
      Effect.gen(function*() {
        yield* group === undefined ? process.forbid : stop(supervision, leadership, group)
        // A shell that was stopped with the command has to see that the command has ended.
        if (process.helper !== undefined) signalProcess(process.helper, "SIGCONT")
        yield* process.exited
        yield* keeper.gone
      })
  )
}
