/**
 * One candidate, a process of its own: `candidate.js ENGINE PLACE RUN ID PRIORITY`. It reports on its standard output, and obeys
 * `resign`, `cut` (off from the store) and `mend` on its standard input.
 */
import { Database, type DatabaseService } from "@effect-fdb/core"
import * as FdbError from "@effect-fdb/core/FdbError"
import { type ElectionEvent, ElectionObserver, type Leadership } from "@effect-fdb/leader-election"
import * as NodeRuntime from "@effect/platform-node-shared/NodeRuntime"
import * as NodeStdio from "@effect/platform-node-shared/NodeStdio"
import { Clock, Effect, Layer, References, Schema, Stdio, Stream } from "effect"
import * as fs from "node:fs"
import { makeRecords, open, type Records } from "./records.ts"
import { type Report, ReportLine } from "./report.ts"

type WithoutTime<R> = R extends Report ? Omit<R, "at"> : never

const encode = Schema.encodeSync(ReportLine)

/** Written at once to standard output, so that a process that is killed has said what it did. */
const writeReport = (clock: Clock.Clock, report: WithoutTime<Report>): void => {
  fs.writeSync(1, `${encode({ ...report, at: clock.monotonicTimeNanosUnsafe() } as Report)}\n`)
}

const report = (report: WithoutTime<Report>) => Effect.map(Clock.Clock, (clock) => writeReport(clock, report))

const reportEvent = (clock: Clock.Clock) => (event: ElectionEvent): void => {
  switch (event._tag) {
    case "Elected":
    case "Renewed":
    case "Lost":
    case "Resigned":
    case "Challenged":
    case "Overrun":
      return writeReport(clock, event)
  }
}

/** The connection to the store, and the leadership there is to resign from. */
const state: { isCut: boolean; resign: Effect.Effect<void> } = { isCut: false, resign: Effect.void }

/** Lets nothing through while it is cut off: every transaction takes all the time it has, and fails. */
const cuttable = (database: DatabaseService): DatabaseService => ({
  engine: database.engine,
  transact: (body, options) =>
    Effect.suspend(() =>
      state.isCut
        ? Effect.andThen(Effect.sleep(options?.timeout ?? "10 seconds"), Effect.fail(FdbError.make(1031, "read")))
        : database.transact(body, options)
    )
})

/** Tries what must not succeed any longer, until it is told: while the store is cut off, nothing is told. */
const writeLate = ({ increment }: Records, id: string, { guard, term }: Leadership) =>
  guard(increment(id, term), { timeout: "100 millis" }).pipe(
    Effect.retry({ while: (error) => error._tag === "FdbError" }),
    Effect.match({ onFailure: () => true, onSuccess: () => false }),
    Effect.flatMap((refused) => report({ _tag: "LateWrite", term, refused }))
  )

/** Counts, step by step; and after it has been stopped, writes once more, by the process's clock: the work's has stopped too. */
const work = (records: Records, id: string, clock: Clock.Clock) => (leadership: Leadership) => {
  const { guard, lost, resign, term } = leadership
  return Effect.gen(function*() {
    state.resign = resign
    yield* report({ _tag: "Work", term })
    while (true) {
      yield* report({ _tag: "Step", term })
      yield* guard(records.increment(id, term)).pipe(Effect.catchTag("FdbError", () => Effect.void))
      yield* Effect.sleep("10 millis")
    }
  }).pipe(
    Effect.onInterrupt(() =>
      writeLate(records, id, leadership).pipe(
        Effect.provideService(Clock.Clock, clock),
        Effect.forkDetach,
        // Where the process is only asked to end, the tenure is not lost yet, and the write is none of the late ones.
        Effect.when(Effect.map(Effect.timeoutOption(lost, 0), (loss) => loss._tag === "Some"))
      )
    )
  )
}

const obey = Stdio.Stdio.use(({ stdin }) =>
  stdin.pipe(
    Stream.decodeText,
    Stream.splitLines,
    Stream.runForEach((command) => {
      if (command === "resign") return state.resign
      return Effect.sync(() => void (state.isCut = command === "cut"))
    })
  )
)

const main = Effect.gen(function*() {
  const clock = yield* Clock.Clock
  const stdio = yield* Stdio.Stdio
  const [engine = "", place = "", run = "", id = "", priority = "0"] = yield* stdio.args
  const records = makeRecords(run)
  // The witness of the store is not cut off: the kernel is not.
  const database = Layer.effect(Database, Effect.map(Database, cuttable)).pipe(Layer.provideMerge(open(engine, place)))
  yield* Effect.forkChild(obey)
  const options = { id, priority: Number(priority) }
  return yield* records.election.withLeadership(options, work(records, id, clock), { again: true }).pipe(
    Effect.provideService(ElectionObserver, reportEvent(clock)),
    Effect.provide(database)
  )
})

main.pipe(
  Effect.provideService(References.MinimumLogLevel, "Fatal"),
  Effect.provide(NodeStdio.layer),
  NodeRuntime.runMain
)
