/**
 * `fdb-election run --shards N`: one command for each shard that this process leads. Each command has its own launcher and watchdog process,
 * as that of `wrapper.ts` has, but none gets the terminal. A signal that ends the wrapper ends the commands and resigns the shards.
 */
import { ElectionConfig, type ElectionEvent, ElectionObserver, LeaderElection } from "@effect-fdb/leader-election"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as ExitCode from "../../ExitCode.ts"
import { CommandEnded } from "../../Failure.ts"
import type { Options } from "../commands/run.ts"
import type { SelectedElection } from "../selectedElection.ts"
import { transact } from "../selectedElection.ts"
import { checkGrace, Deadlines, safetyMargin } from "./deadlines.ts"
import * as EndedTenure from "./endedTenure.ts"
import * as Launcher from "./launcherProcess.ts"
import * as Nesting from "./nesting.ts"
import * as RunReporter from "./runReporter.ts"
import type { Speaker } from "./speaker.ts"
import { supervise } from "./supervise.ts"
import * as Watchdog from "./watchdogProcess.ts"

/** The commands get their signals when they are to end, and no others. */
const noSignals = { starting: () => {}, begin: () => {}, end: () => {} }

/** Runs the commands of the shards that this process leads, until it is to end. */
export const run = Effect.fnUntraced(function*(
  selected: SelectedElection,
  options: Options,
  file: string,
  { count, id, manager, say: speak, tell }: Speaker & { readonly count: number }
) {
  const say = (line: string): void => {
    speak(line)
    manager.status(line)
  }
  yield* manager.feed()
  const { election, name, store } = selected
  const clock = yield* Clock.Clock
  const askedGrace = Option.getOrUndefined(options.grace)
  const config = yield* transact(
    Effect.catchTag(election.readConfig, "NotInitialized", () => Effect.succeed(new ElectionConfig({})))
  )
  yield* checkGrace(config.leaseDuration, askedGrace)
  const shards = LeaderElection.shards(name.subspace, { shards: count, config })
  const shardOf = new Map(
    Array.from({ length: count }, (_, shard) => [LeaderElection.make(shards.subspaceOf(shard)).name, shard])
  )
  const deadlines = Array.from({ length: count }, () => new Deadlines(askedGrace))
  const report = RunReporter.make(
    (of) => `shard ${shardOf.get(of) ?? "?"} of ${name.text}`,
    say,
    () => clock.monotonicTimeNanosUnsafe()
  )
  const observe = (event: ElectionEvent): void => {
    if (event._tag === "Registered") manager.ready()
    const shard = shardOf.get(event.election)
    if (shard === undefined) return tell?.(event, { election: name.text, coordinator: true })
    if (event._tag === "Elected" || event._tag === "Shortened" || event._tag === "Renewed") {
      deadlines[shard]!.renewed(event.believesUntil, event.leaseDuration)
    }
    if (tell !== undefined) return tell(event, { election: name.text, shard })
    // Those of its standbys would be many.
    if (event._tag !== "Registered" && event._tag !== "Following") report(event)
  }
  const { FDB_ELECTION_SLOT: _, ...above } = process.env
  const candidate = { id, weight: Option.getOrUndefined(options.weight), safetyMargin: safetyMargin(askedGrace) }
  const led = shards.run(candidate, (shard, leadership) =>
    Effect.gen(function*() {
      const watchdog = yield* Watchdog.make
      const until = deadlines[shard]!
      until.listeners.add(watchdog.until)
      yield* Effect.addFinalizer(() => Effect.sync(() => until.listeners.delete(watchdog.until)))
      watchdog.until(until)
      const status = yield* supervise(
        {
          watchdog,
          deadlines: until,
          signals: noSignals,
          say: (line) => say(`shard ${shard}: ${line}`),
          tenureOf: (leadership) => EndedTenure.of(selected, shards.subspaceOf(shard), leadership)
        },
        {
          file,
          argv: options.command,
          env: {
            ...above,
            FDB_ELECTION_TERM: String(leadership.term),
            FDB_ELECTION_ID: id,
            FDB_ELECTION_NAME: name.text,
            FDB_ELECTION_SHARD: String(shard),
            [Nesting.variable]: Nesting.entriesFor(process.env[Nesting.variable], store, name.text)
          }
        },
        leadership,
        Launcher.startInBackground
      )
      say(`shard ${shard}: the command has ended with ${status}`)
      if (status !== ExitCode.ok && !options.again) return yield* new CommandEnded({ status })
    }).pipe(
      Effect.scoped,
      // One that is done keeps its shard.
      options.again ? Effect.repeat(Schedule.spaced("1 second")) : Effect.asVoid
    ))
  return yield* Effect.provideService(led, ElectionObserver, observe)
})
