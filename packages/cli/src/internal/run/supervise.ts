/** The work of a tenure: the command, until the last process of its group has ended. So the resignation follows that end. */
import type { Leadership } from "@effect-fdb/leader-election"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Failure } from "../../Failure.ts"
import type { Deadlines } from "./deadlines.ts"
import type { EndedTenure } from "./endedTenure.ts"
import * as Launcher from "./launcherProcess.ts"
import type { Begin } from "./launcherProgram.ts"
import { endGroup, endIfGone, refusing, signalGroup, signalProcess } from "./processGroup.ts"
import type { CommandSignals } from "./signals.ts"
import type { WatchdogProcess } from "./watchdogProcess.ts"

export interface Supervision {
  readonly watchdog: WatchdogProcess
  readonly deadlines: Deadlines
  readonly signals: Pick<CommandSignals, "starting" | "begin" | "end">
  readonly say: (line: string) => void
  readonly tenureOf: (leadership: Leadership) => Effect.Effect<EndedTenure>
}

/** Sends SIGKILL from `killAt` on. */
const untilGone = (group: number, killAt: () => bigint): Effect.Effect<void> =>
  Effect.gen(function*() {
    while (!endIfGone(group)) {
      if ((yield* Clock.monotonicTimeNanos) >= killAt()) signalGroup(group, "SIGKILL")
      yield* Effect.sleep("5 millis")
    }
  })

const stop = Effect.fnUntraced(function*(
  { deadlines, say, watchdog }: Supervision,
  leadership: Leadership,
  { group, settled }: Launcher.LauncherProcess,
  hasEnded: boolean
) {
  // A command that is about to begin would miss the signal.
  yield* Effect.timeoutOption(settled, "1 second")
  if (endIfGone(group)) return
  const held = yield* leadership.isHeld
  yield* watchdog.stopping
  endGroup(group, "SIGTERM")
  if (hasEnded) say("ends the processes that the command has left")
  const graceEnds = (yield* Clock.monotonicTimeNanos) + deadlines.grace
  yield* untilGone(group, () => held && graceEnds < deadlines.killAt ? graceEnds : deadlines.killAt)
})

/** Reports a process that has changed its user, as `sudo` does. Most do so when they begin. */
const watchReach = (group: number, say: Supervision["say"]): Effect.Effect<never> =>
  Effect.gen(function*() {
    for (let pause = 50; true; pause = Math.min(2 * pause, 10_000)) {
      const [pid] = refusing(group)
      if (pid !== undefined) {
        say(
          `process ${pid} of the command runs as another user and cannot get signals: nothing ends it when the ` +
            "leadership is lost. Run fdb-election as that user: `sudo fdb-election run -- ...`"
        )
        return yield* Effect.never
      }
      yield* Effect.sleep(Duration.millis(pause))
    }
  })

/** Continues a launcher that was stopped. On the command's own terminal the stop is Ctrl-Z, which must stay in effect. */
const keepGoing = ({ group, helper }: Launcher.LauncherProcess): Effect.Effect<never> =>
  helper !== undefined
    ? Effect.never
    : Effect.forever(Effect.andThen(Effect.sync(() => signalProcess(group, "SIGCONT")), Effect.sleep("500 millis")))

export const supervise = (
  supervision: Supervision,
  command: Begin,
  leadership: Leadership,
  start: typeof Launcher.start = Launcher.start
): Effect.Effect<Launcher.ExitStatus, Failure> => {
  const { deadlines, say, signals, watchdog } = supervision
  let toldToBegin = false
  let hasEnded = false
  const supervised = Effect.acquireUseRelease(
    start,
    (launcher) =>
      Effect.gen(function*() {
        signals.starting(launcher)
        deadlines.listeners.add(launcher.until)
        launcher.until(deadlines)
        yield* watchdog.guard(launcher.group, launcher.helper?.pid)
        if (!(yield* leadership.isHeld)) return yield* Effect.never
        toldToBegin = true
        yield* launcher.begin(command)
        signals.begin()
        return yield* launcher.exited.pipe(
          Effect.tap(() => Effect.sync(() => void (hasEnded = true))),
          Effect.raceFirst(watchdog.died),
          Effect.raceFirst(watchReach(launcher.group, say))
        )
      }).pipe(Effect.raceFirst(keepGoing(launcher))),
    (launcher) =>
      Effect.gen(function*() {
        yield* toldToBegin ? stop(supervision, leadership, launcher, hasEnded) : launcher.forbid
        launcher.helper?.dismiss()
        yield* launcher.exited
        yield* watchdog.gone
        deadlines.listeners.delete(launcher.until)
        signals.end()
      })
  )
  // Before the launcher starts: the wrapper may die while it does.
  return Effect.andThen(Effect.flatMap(supervision.tenureOf(leadership), watchdog.leads), supervised)
}
