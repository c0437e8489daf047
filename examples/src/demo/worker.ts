/**
 * One candidate, a process of its own: `worker.js ENGINE PLACE RUN ID PRIORITY`. It reports on its standard output, and obeys
 * `resign`, `cut` (off from the store) and `mend` on its standard input.
 */
import { Database, type DatabaseService } from "@effect-fdb/core"
import * as FdbError from "@effect-fdb/core/FdbError"
import { type ElectionEvent, ElectionObserver, type Leadership } from "@effect-fdb/leader-election"
import * as NodeRuntime from "@effect/platform-node-shared/NodeRuntime"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as fs from "node:fs"
import * as NodeServices from "./nodeServices.ts"
import { makeRecords, type Records } from "./Records.ts"
import { type Report, ReportLine } from "./report.ts"
import { open } from "./store.ts"

type Told<R> = R extends Report ? Omit<R, "at"> : never

const standardOutput = 1
const encode = Schema.encodeSync(ReportLine)

/** Written at once, so that a process that is killed has said what it did. */
const tell = (clock: Clock.Clock, report: Told<Report>): void => {
  const line = encode({ ...report, at: clock.monotonicTimeNanosUnsafe() } as Report)
  fs.writeSync(standardOutput, `${line}\n`)
}

const told = (report: Told<Report>) => Effect.map(Clock.Clock, (clock) => tell(clock, report))

const onEvent = (clock: Clock.Clock) => (event: ElectionEvent): void => {
  switch (event._tag) {
    case "Elected":
      return tell(clock, { kind: "elected", term: event.term, cause: event.cause, until: event.believesUntil })
    case "Renewed":
      return tell(clock, { kind: "renewed", term: event.term, ballot: event.ballot, until: event.believesUntil })
    case "Lost":
      return tell(clock, { kind: "lost", term: event.term, reason: event.reason })
    case "Resigned":
      return tell(clock, { kind: "resigned", term: event.term })
    case "Challenged":
      return tell(clock, { kind: "challenged", term: event.term })
    case "Overrun":
      return tell(clock, { kind: "overrun", term: event.term })
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
    Effect.flatMap((refused) => told({ kind: "late write", term, refused }))
  )

/** Counts, step by step; and after it has been stopped, writes once more, by the process's clock: the work's has stopped too. */
const work = (records: Records, id: string, clock: Clock.Clock) => (leadership: Leadership) => {
  const { guard, lost, resign, term } = leadership
  return Effect.gen(function*() {
    state.resign = resign
    yield* told({ kind: "work", term })
    while (true) {
      yield* told({ kind: "step", term })
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
    Stream.runForEach((command) =>
      Effect.suspend(() => {
        if (command === "resign") return state.resign
        state.isCut = command === "cut"
        return Effect.void
      })
    )
  )
)

const main = Effect.gen(function*() {
  const clock = yield* Clock.Clock
  const stdio = yield* Stdio.Stdio
  const [engine = "", place = "", run = "", id = "", priority = "0"] = yield* stdio.args
  const records = makeRecords(run)
  const database = Layer.effect(Database, Effect.map(Database, cuttable)).pipe(Layer.provide(open({ engine, place })))
  yield* Effect.forkChild(obey)
  yield* told({ kind: "ready" })
  return yield* records.election.withLeadership({ id, priority: Number(priority) }, work(records, id, clock), {
    again: true
  })
    .pipe(
      Effect.provideService(ElectionObserver, onEvent(clock)),
      Effect.provide(database)
    )
})

main.pipe(
  Effect.provideService(References.MinimumLogLevel, "Fatal"),
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain
)
