/**
 * The wrapper: the process of `fdb-election run`. It campaigns, and runs the command while it leads. It has two helpers: the launcher
 * (`launcherProgram.ts`) starts the command and leads its process group, and the watchdog process (`watchdogProgram.ts`) ends the
 * command if the wrapper is dead, stopped or stuck. See `supervise.ts` for one tenure, `signals.ts` and `deadlines.ts`.
 */
import { Database, Witness as WitnessService } from "@effect-fdb/core"
import * as EventLog from "@effect-fdb/http/EventLog"
import {
  CandidateSuperseded,
  type ElectionEvent,
  ElectionMetrics,
  ElectionObserver,
  type Leadership,
  LeadershipLost
} from "@effect-fdb/leader-election"
import { Witness } from "@effect-fdb/witness"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as ExitCode from "../../ExitCode.ts"
import { CommandEnded, tryAgain } from "../../Failure.ts"
import type { Options } from "../commands/run.ts"
import * as Http from "../http.ts"
import type { SelectedElection } from "../selectedElection.ts"
import { checkGrace, Deadlines, safetyMargin } from "./deadlines.ts"
import * as EndedTenure from "./endedTenure.ts"
import * as Nesting from "./nesting.ts"
import { inElection, inSlots } from "./participation.ts"
import * as RunReporter from "./runReporter.ts"
import * as Shards from "./shards.ts"
import { CommandSignals } from "./signals.ts"
import { makeSpeaker, type Speaker } from "./speaker.ts"
import { supervise } from "./supervise.ts"
import { Transactions } from "./transactions.ts"
import * as Watchdog from "./watchdogProcess.ts"

/** The pause after a command that ended soon: a tenth of a second, doubled with each in a row, up to ten seconds. */
const pauseMillis = (shortRuns: number): number => Math.min(100 * 2 ** (shortRuns - 1), 10_000)
const shortRunNanos = 10_000_000_000n

const campaign = Effect.fnUntraced(function*(
  selected: SelectedElection,
  options: Options,
  file: string,
  signals: CommandSignals,
  { id, manager, say, tell }: Speaker
) {
  const clock = yield* Clock.Clock
  const { name, store } = selected
  const participation = Option.match(options.slots, {
    onNone: () => inElection(selected),
    onSome: (count) => inSlots(selected, count)
  })
  const askedGrace = Option.getOrUndefined(options.grace)
  const config = yield* participation.initialize
  yield* checkGrace(config.leaseDuration, askedGrace)
  const watchdog = yield* Watchdog.make
  const deadlines = new Deadlines(askedGrace)
  deadlines.listeners.add(watchdog.until)
  const report = tell === undefined
    ? RunReporter.make(participation.titleOf, say, () => clock.monotonicTimeNanosUnsafe())
    : (event: ElectionEvent) => tell(event, participation.partOf(event.election))
  const status = RunReporter.make(participation.titleOf, manager.status, () => clock.monotonicTimeNanosUnsafe())
  const events = Option.isSome(options.http) ? yield* EventLog.make : undefined
  const observer: typeof ElectionObserver.Service = (event) => {
    if (event._tag === "Elected" || event._tag === "Shortened" || event._tag === "Renewed") {
      deadlines.renewed(event.believesUntil, event.leaseDuration)
    }
    report(event)
    status(event)
    if (event._tag === "Registered") manager.ready()
    events?.observe(event)
  }
  return yield* Effect.gen(function*() {
    const candidacy = yield* participation.candidacy({
      id,
      priority: options.priority,
      safetyMargin: safetyMargin(askedGrace)
    })
    yield* manager.feed(candidacy.health)
    if (Option.isSome(options.http)) {
      const served = { name: name.text, subspace: name.subspace, candidacy }
      say(`serves ${yield* Http.listen(options.http.value, [served], events)}`)
    }
    const tenureOf = (leadership: Leadership) =>
      EndedTenure.of(selected, participation.subspaceOf(leadership), leadership)
    /** One tenure. Returns the command's status, or `undefined` to campaign again. */
    const tenure = candidacy.withLeadership((leadership) =>
      supervise({ watchdog, deadlines, signals, say, tenureOf }, {
        file,
        argv: options.command,
        env: {
          ...process.env,
          FDB_ELECTION_TERM: String(leadership.term),
          FDB_ELECTION_ID: id,
          FDB_ELECTION_NAME: name.text,
          ...participation.variables(leadership),
          [Nesting.variable]: Nesting.entriesFor(process.env[Nesting.variable], store, name.text)
        }
      }, leadership)
    ).pipe(
      Effect.catchIf(
        (error) => error instanceof LeadershipLost,
        ({ reason, term }) => {
          if (options.again && !signals.isEnding) return Effect.undefined
          const why = `the leadership of term ${term} was lost: ${RunReporter.reasons[reason]}`
          return tryAgain(`the command was ended because ${why}; with --again, fdb-election campaigns again`)
        }
      ),
      // The next campaign waits, because it would end the command of the other process if it took the id back.
      Effect.catchIf((error) => options.again && error instanceof CandidateSuperseded, () =>
        Effect.sync(() => {
          say(`waits until the other process with the id "${id}" is gone: give each process its own id, or omit it`)
          return undefined
        }))
    )
    for (let shortRuns = 0; true;) {
      const begun = clock.monotonicTimeNanosUnsafe()
      const status = yield* tenure
      if (status === undefined) continue
      if (!options.again || signals.isEndingAfter(status)) return status
      say(`the command has ended with ${status}; campaigns again`)
      shortRuns = clock.monotonicTimeNanosUnsafe() - begun < shortRunNanos ? shortRuns + 1 : 0
      if (shortRuns > 0) yield* Effect.sleep(pauseMillis(shortRuns))
    }
  }).pipe(Effect.scoped, Effect.provideService(ElectionObserver, observer))
})

/** Of the shards that a process leads there is no one belief: it serves what an observer sees. */
const serveShards = ({ name: { subspace, text } }: SelectedElection, { http }: Options, { say }: Speaker) =>
  Option.isNone(http)
    ? Effect.void
    : Effect.map(Http.listen(http.value, [{ name: text, subspace }]), (url) => say(`serves ${url}`))

/** Runs the command `file` while this process leads. Fails with {@link CommandEnded} if its exit status is not 0. */
export const run = Effect.fnUntraced(function*(selected: SelectedElection, options: Options, file: string) {
  const transactions = new Transactions()
  const signals = new CommandSignals(transactions)
  yield* signals.take
  const speaker = yield* makeSpeaker(options, transactions)
  const led = Option.match(options.shards, {
    onNone: () => campaign(selected, options, file, signals, speaker),
    onSome: (count) =>
      Effect.andThen(
        serveShards(selected, options, speaker),
        Shards.run(selected, options, file, { ...speaker, count })
      )
  })
  const witness = Option.getOrElse(yield* Effect.serviceOption(WitnessService), () => Witness.none)
  const status = yield* led.pipe(
    Effect.provideService(Database, transactions.counting(yield* Database)),
    // The command outlives this process: it may not tell that its own end is the end of what it leads.
    Effect.provideService(WitnessService, Witness.hearing(witness)),
    Effect.raceFirst(Deferred.await(signals.interrupted)),
    Effect.raceFirst(signals.watchSurroundings(options.exitWithParent)),
    // An id that is new with each start would make new series with each start.
    Effect.provideService(ElectionMetrics, { candidateLabel: Option.isSome(options.id) })
  )
  if (status !== ExitCode.ok) return yield* new CommandEnded({ status })
}, Effect.scoped)
