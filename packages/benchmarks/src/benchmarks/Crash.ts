/** From the death of a leader to the successor's work, between real processes. */
import { Database, Subspace, Transaction } from "@effect-fdb/core"
import { ElectionConfig } from "@effect-fdb/leader-election"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type { Benchmark, Figure, Scale } from "../Benchmark.ts"
import * as Candidates from "../processes/Candidates.ts"
import * as Peers from "../processes/Peers.ts"
import * as Store from "../processes/Store.ts"
import { percentile } from "../Summary.ts"

const names = ["ada", "bea", "cyn"]
const config = new ElectionConfig({})
const leaseMillis = Duration.toMillis(config.leaseDuration)
/** In milliseconds: where the lease is waited for, it is short. */
const shortLease = 2000

const now = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)

/** Starts the candidates. `until` reads reports until what they tell is so; the last work that began is that of the leader. */
const begin = Effect.fnUntraced(function*(candidates: Candidates.Candidates) {
  yield* Effect.forEach(names, candidates.start)
  const told = {
    campaigning: 0,
    leader: undefined as Candidates.ReportOf<"works"> | undefined,
    ended: undefined as Candidates.ReportOf<"ended"> | undefined,
    grown: undefined as Candidates.ReportOf<"grown"> | undefined
  }
  const until = Effect.fnUntraced(function*<A>(read: () => A | undefined) {
    for (let found = read();; found = read()) {
      if (found !== undefined) return found
      const report = yield* candidates.next("the next leader")
      if (report.kind === "works") told.leader = report
      else if (report.kind === "ended") told.ended = report
      else if (report.kind === "grown") told.grown = report
      else if (report.kind === "campaigns") told.campaigning++
    }
  })
  const leaderOfAll = until(() => told.campaigning === names.length ? told.leader : undefined)
  return { told, until, leaderOfAll }
})

/** The milliseconds from each SIGKILL to the next work. The leader uses so much memory when it is killed. */
export const measureKills = Effect.fnUntraced(function*(
  candidates: Candidates.Candidates,
  kills: number,
  megabytes?: number
) {
  const { leaderOfAll, told, until } = yield* begin(candidates)
  const took: Array<number> = []
  while (took.length < kills) {
    if (megabytes !== undefined) {
      const { who } = yield* leaderOfAll
      yield* candidates.grow(who, megabytes)
      yield* until(() => told.grown?.who === who ? told.grown : undefined)
    }
    // At a random moment between two renewals.
    yield* Effect.sleep(yield* Random.nextBetween(500, 1500))
    const { who } = yield* leaderOfAll
    told.leader = told.grown = undefined
    const killed = yield* now
    yield* candidates.signal(who, "SIGKILL")
    const successor = yield* until(() => told.leader)
    took.push(successor.at - killed)
    yield* candidates.kill(who)
    told.campaigning--
    yield* candidates.start(who)
  }
  return took
})

const commit = Database.transact(
  Transaction.use((tx) => tx.set(Subspace.fromTuple(["effect-fdb benchmark"]).pack(["frozen"]), new Uint8Array())),
  { timeout: "500 millis" }
)

/** Stops a candidate, but not within a commit: with LMDB's lock it would stop everybody. Returns when. */
const freeze = Effect.fnUntraced(function*(candidates: Candidates.Candidates, who: string) {
  while (true) {
    const frozen = yield* now
    yield* candidates.signal(who, "SIGSTOP")
    if (yield* Effect.isSuccess(commit)) return frozen
    yield* candidates.signal(who, "SIGCONT")
    yield* Effect.sleep("10 millis")
  }
})

/** The milliseconds from each SIGSTOP to the next work, and for how long the old leader works beside it when it continues. */
export const measureFreezes = Effect.fnUntraced(function*(candidates: Candidates.Candidates, freezes: number) {
  const { leaderOfAll, told, until } = yield* begin(candidates)
  const took: Array<number> = []
  const overlaps: Array<number> = []
  while (took.length < freezes) {
    yield* Effect.sleep(yield* Random.nextBetween(500, 2500))
    const { who } = yield* leaderOfAll
    told.leader = told.ended = undefined
    const frozen = yield* freeze(candidates, who)
    const successor = yield* until(() => told.leader)
    took.push(successor.at - frozen)
    yield* Effect.sleep(yield* Random.nextBetween(10, 500))
    yield* candidates.signal(who, "SIGCONT")
    const { ticks } = yield* until(() => told.ended?.who === who ? told.ended : undefined)
    const beside = ticks.filter((at) => at > successor.at)
    overlaps.push(beside.length === 0 ? 0 : beside.at(-1)! - beside[0]!)
  }
  return { took, overlaps }
})

const percentiles = [["p50", 0.5], ["p95", 0.95], ["most", 1]] as const

const inMillis = (
  label: string,
  took: ReadonlyArray<number>,
  atMost: { readonly [K in (typeof percentiles)[number][0]]?: number } = {}
): ReadonlyArray<Figure> =>
  percentiles.map(([name, fraction]) => {
    const reach = atMost[name]
    return {
      name: `${label}: ${name}`,
      unit: "ms",
      here: percentile(took, fraction),
      ...(reach === undefined ? {} : { reach: { atMost: reach } })
    }
  })

const inLeases = (label: string, took: ReadonlyArray<number>, lease: number, p50?: number): ReadonlyArray<Figure> => [
  {
    name: `${label}: p50`,
    unit: "leases",
    here: percentile(took, 0.5) / lease,
    ...(p50 === undefined ? {} : { reach: { atMost: p50 } })
  },
  { name: `${label}: most`, unit: "leases", here: percentile(took, 1) / lease }
]

/** The processes of Node, without ballast, take about 80 MB. */
const sizes = [
  { label: "80 MB", megabytes: undefined, kills: 30, lmdb: { p50: 25, p95: 75 }, fdb: { p50: 50, p95: 150 } },
  { label: "500 MB", megabytes: 500, kills: 15, lmdb: {}, fdb: {} },
  { label: "2 GB", megabytes: 2000, kills: 15, lmdb: { most: 350 }, fdb: {} }
] as const

const run = Effect.fnUntraced(function*({ engine, peers, quick }: Scale) {
  const onStore = <A, E>(
    { config, ticking = false, ...conditions }:
      & Store.Conditions
      & { readonly config: ElectionConfig; readonly ticking?: boolean },
    measuring: (candidates: Candidates.Candidates) => Effect.Effect<A, E, Database>
  ) =>
    Store.use(
      engine,
      conditions,
      (store) => Effect.flatMap(Candidates.make({ store, elections: 1, config, ticking }), measuring)
    )
  const figures: Array<Figure> = []
  for (const { [engine.engine]: reach, kills, label, megabytes } of sizes) {
    const took = yield* onStore(
      { config, isWitnessed: true },
      (candidates) => measureKills(candidates, quick ? 2 : kills, megabytes)
    )
    figures.push(...inMillis(`SIGKILL, witnessed, ${label}`, took, reach))
  }
  const short = ElectionConfig.withLeaseDuration(shortLease)
  const waited = yield* onStore(
    { config: short, isWitnessed: false },
    (candidates) => measureKills(candidates, quick ? 2 : 10)
  )
  figures.push(...inLeases("SIGKILL, not witnessed, lease 2 s", waited, shortLease))
  const { overlaps, took } = yield* onStore(
    { config: short, ticking: true },
    (candidates) => measureFreezes(candidates, quick ? 2 : 20)
  )
  figures.push(...inLeases("SIGSTOP, lease 2 s", took, shortLease, 1), {
    name: "SIGSTOP: longest overlap when it continues",
    unit: "ms",
    here: percentile(overlaps, 1),
    reach: { atMost: 0 }
  })
  for (const peer of peers) {
    const took = yield* Peers.use(
      peer,
      leaseMillis,
      ({ candidates }) => measureKills(candidates, quick ? 1 : 6)
    )
    if (took !== undefined) figures.push(...inLeases(`${peer}: SIGKILL, lease 10 s`, took, leaseMillis))
  }
  return figures
})

export const crash: Benchmark = {
  name: "crash",
  title: "from the death of a leader to the successor's work, three real processes; lease 10 s unless said",
  betweenProcesses: true,
  run
}
