/** The program of a candidate. */
import { Subspace } from "@effect-fdb/core"
import { ElectionConfig, type ElectionEvent, ElectionObserver, LeaderElection } from "@effect-fdb/leader-election"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import { argument, type Assignment, type Order, type Report, type Usage } from "./messages.ts"
import * as Store from "./Store.ts"

const { config: encoded, elections, id, of, store, subspace, ticking } = argument<Assignment>()
const config = Schema.decodeUnknownSync(Schema.toCodecJson(ElectionConfig))(encoded)

const counts = { Renewed: 0, Lost: 0 }
const observe = ({ _tag }: ElectionEvent): void => {
  if (_tag === "Renewed" || _tag === "Lost") counts[_tag]++
}

const readNow = (): number => Number(process.hrtime.bigint()) / 1e6
const now = Effect.sync(readNow)
const readUsage = (): Usage => {
  const { system, user } = process.cpuUsage()
  return { at: readNow(), cpuMillis: (system + user) / 1000, renewed: counts.Renewed, lost: counts.Lost }
}
const tell = (report: Report) => Effect.sync(() => void process.send?.(report))

/** The next order. */
let ordered = Deferred.makeUnsafe<number>()
process.on("message", (order: Order) => {
  if (order.kind === "resign") Deferred.doneUnsafe(ordered, Effect.succeed(order.backAfter))
  else if (order.kind === "grow") Effect.runFork(grow(order.megabytes))
  else process.send?.({ kind: "used", usage: readUsage() } satisfies Report)
})

const ballast: Array<Buffer> = []
/** Uses more memory, in pieces, so that the event loop is not blocked for long. */
const grow = Effect.fnUntraced(function*(megabytes: number) {
  while (process.memoryUsage.rss() < megabytes * 1e6) {
    ballast.push(Buffer.alloc(16e6).fill(1))
    yield* Effect.sleep(1)
  }
  yield* tell({ kind: "grown" })
})

const ticks: Array<number> = []
const tick = Effect.sync(() => {
  ticks.push(readNow())
  if (ticks.length > 2000) ticks.splice(0, 1000)
})

const tellWorks = (index: number) => Effect.flatMap(now, (at) => tell({ kind: "works", index, at }))
const tellEnded = (index: number) => Effect.flatMap(now, (at) => tell({ kind: "ended", index, at, ticks }))
const act = ticking ? Effect.forever(Effect.andThen(tick, Effect.sleep(5))) : Effect.never
const work = (index: number) => Effect.ensuring(Effect.andThen(tellWorks(index), act), tellEnded(index))

const lead = (index: number) =>
  LeaderElection.make(Subspace.fromTuple([subspace, index]), { config }).withLeadership(
    { id },
    () => ticking ? work(index) : Effect.andThen(tellWorks(index), Effect.never),
    { again: true }
  )

const leadShards = LeaderElection.shards(Subspace.fromTuple([subspace]), { shards: elections, config }).run(
  { id },
  work
)

const life = Effect.gen(function*() {
  let resigned: number | undefined
  while (true) {
    ordered = Deferred.makeUnsafe<number>()
    yield* tell({ kind: "campaigns", resigned, usage: readUsage() })
    const order = Effect.tap(Deferred.await(ordered), () => Effect.map(now, (at) => void (resigned = at)))
    // The order ends the scopes of the leaderships, so that they resign.
    const leading = of === "shards"
      ? leadShards
      : Effect.forEach(Array(elections).keys(), lead, { concurrency: "unbounded" })
    const backAfter = yield* leading.pipe(
      Effect.andThen(Effect.never),
      Effect.raceFirst(order)
    )
    yield* Effect.sleep(backAfter)
  }
})

await life.pipe(
  Effect.provide(Store.layer(store)),
  Effect.provideService(ElectionObserver, observe),
  Effect.provideService(References.MinimumLogLevel, "Warn"),
  Effect.runPromise
)
