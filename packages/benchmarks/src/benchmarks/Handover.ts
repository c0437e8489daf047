/** From a leader's resignation to the successor's work, between real processes. */
import { Database } from "@effect-fdb/core"
import { ElectionConfig } from "@effect-fdb/leader-election"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type { Benchmark, Figure, Scale } from "../Benchmark.ts"
import * as Candidates from "../processes/Candidates.ts"
import * as Peers from "../processes/Peers.ts"
import { readCpuMillis } from "../processes/resources.ts"
import * as Store from "../processes/Store.ts"
import { percentile } from "../Summary.ts"

const config = new ElectionConfig({})
/** In milliseconds. Before it, processes still use time for their start. */
const settleMillis = 5000
const heartbeatMillis = Duration.toMillis(config.heartbeatInterval)
const leaseMillis = Duration.toMillis(config.leaseDuration)

/** In milliseconds. A handover costs the CPU time that is used until this time after the successor's work has begun. */
const window = 400
/** In milliseconds. A candidate that has resigned campaigns again after this time, when the handover has been measured. */
const backAfter = 600

const now = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)

interface Used {
  elapsed: number
  all: number
  server: number
}

/** Candidates of one election, one of which leads. */
const begin = Effect.fnUntraced(function*(candidates: Candidates.Candidates, count: number) {
  let campaigning = 0
  let leader: Candidates.ReportOf<"works"> | undefined
  let resigned: number | undefined
  const until = Effect.fnUntraced(function*(isReached: () => boolean) {
    while (!isReached()) {
      const report = yield* candidates.next("a leader and its followers")
      if (report.kind === "works") leader = report
      if (report.kind !== "campaigns") continue
      campaigning++
      resigned = report.resigned ?? resigned
    }
  })
  const names = Array.from({ length: count }, (_, index) => `candidate ${index + 1}`)
  yield* Effect.forEach(names, candidates.start)
  return {
    /** Waits until one leads and all others campaign. Tells what the last handover took. */
    ready: Effect.map(
      until(() => leader !== undefined && campaigning === count),
      () => ({ leader: leader!.who, tookMillis: leader!.at - (resigned ?? Number.NaN) })
    ),
    /** Makes the leader resign, and waits until another works. */
    handOver: Effect.suspend(() => {
      const { who } = leader!
      leader = undefined
      campaigning--
      return Effect.andThen(candidates.resign(who, backAfter), until(() => leader !== undefined))
    }),
    kill: (who: string) => Effect.tap(candidates.kill(who), () => Effect.sync(() => campaigning--)),
    restart: candidates.start
  }
})

interface Handovers {
  /** The first handovers of the processes. */
  readonly firstMillis: Array<number>
  readonly tookMillis: Array<number>
  /** What all candidates used for each, on average, less what they use in the same time when nothing happens. */
  readonly cpuMillis: number
  /** The same of the server; zero if there is none. */
  readonly serverCpuMillis: number
}

const add = (total: Used, more: Used): void => {
  total.elapsed += more.elapsed
  total.all += more.all
  total.server += more.server
}

/** Hands over again and again, at random phases of the heartbeats. */
const measure = Effect.fnUntraced(function*(
  candidates: Candidates.Candidates,
  count: number,
  handovers: number,
  server: ReadonlyArray<number> = []
) {
  const { handOver, ready } = yield* begin(candidates, count)
  yield* ready
  const read = Effect.gen(function*() {
    return { at: yield* now, all: readCpuMillis(yield* candidates.pids), server: readCpuMillis(server) }
  })
  const used = Effect.fnUntraced(function*<E>(during: Effect.Effect<unknown, E>) {
    const before = yield* read
    yield* during
    const after = yield* read
    return { elapsed: after.at - before.at, all: after.all - before.all, server: after.server - before.server }
  })
  const firstMillis: Array<number> = []
  const tookMillis: Array<number> = []
  const idle: Used = { elapsed: 0, all: 0, server: 0 }
  const busy: Used = { elapsed: 0, all: 0, server: 0 }
  yield* Effect.sleep(settleMillis)
  // About once by each candidate, whose code has not been compiled before.
  while (firstMillis.length < Math.min(count, handovers)) {
    yield* handOver
    firstMillis.push((yield* ready).tookMillis)
  }
  while (tookMillis.length < handovers) {
    // Idle times between the handovers tell what the same processes use anyway.
    yield* Effect.sleep(window)
    add(idle, yield* used(Effect.flatMap(Random.nextBetween(300, 600), Effect.sleep)))
    add(busy, yield* used(Effect.andThen(handOver, Effect.sleep(window))))
    tookMillis.push((yield* ready).tookMillis)
  }
  const each = (of: "all" | "server") => (busy[of] - idle[of] * busy.elapsed / idle.elapsed) / handovers
  return { firstMillis, tookMillis, cpuMillis: each("all"), serverCpuMillis: each("server") }
})

/** The milliseconds of handovers where the two that are next in line were killed just before the resignation. */
const measureDeadInLine = Effect.fnUntraced(function*(
  candidates: Candidates.ElectionCandidates,
  count: number,
  handovers: number
) {
  const { handOver, kill, ready, restart } = yield* begin(candidates, count)
  const took: Array<number> = []
  while (took.length < handovers) {
    const { leader } = yield* ready
    yield* Effect.sleep(yield* Random.nextBetween(1000, 1000 + heartbeatMillis))
    // Three are called, in the order of registration, and of these that of the youngest heartbeat is the first.
    const next = (yield* Database.transact(candidates.election.listCandidates))
      .filter(({ processId }) => processId !== leader)
      .toSorted((a, b) => Buffer.compare(a.registration.bytes, b.registration.bytes))
      .slice(0, 3)
      .toSorted((a, b) => Number(b.lastHeartbeat - a.lastHeartbeat))
      .slice(0, 2)
      .map(({ processId }) => processId)
    yield* Effect.forEach(next, kill, { concurrency: "unbounded" })
    yield* handOver
    yield* Effect.forEach(next, restart)
    took.push((yield* ready).tookMillis)
  }
  return took
})

const times = (label: string, took: ReadonlyArray<number>): ReadonlyArray<Figure> =>
  ([["p50", 0.5], ["p95", 0.95], ["most", 1]] as const)
    .map(([name, fraction]) => ({ name: `${label}: ${name}`, unit: "ms", here: percentile(took, fraction) }))

const handoverFigures = (
  label: string,
  { cpuMillis, firstMillis, serverCpuMillis, tookMillis }: Handovers,
  cpuAtMost?: number
) => [
  ...times(label, tookMillis),
  { name: `${label}: p50 of the first handovers of the processes`, unit: "ms", here: percentile(firstMillis, 0.5) },
  {
    name: `${label}: CPU of all for one`,
    unit: "ms",
    here: cpuMillis,
    ...(cpuAtMost === undefined ? {} : { reach: { atMost: cpuAtMost } })
  },
  ...(serverCpuMillis === 0
    ? []
    : [{ name: `${label}: CPU of the server for one`, unit: "ms", here: serverCpuMillis }])
]

const ratio = (few: Handovers, many: Handovers): number =>
  percentile(many.tookMillis, 0.5) / percentile(few.tookMillis, 0.5)

/** With 3 and with 25 candidates, on the same conditions as here. */
const measurePeer = Effect.fnUntraced(function*(peer: Peers.Peer, few: number, many: number) {
  const run = (count: number, handovers: number) =>
    Peers.use(peer, leaseMillis, ({ candidates, server }) => measure(candidates, count, handovers, server))
  const withFew = yield* run(3, few)
  return withFew && { withFew, withMany: (yield* run(25, many))! }
})

const run = Effect.fnUntraced(function*({ engine, peers, quick }: Scale) {
  const [few, many, dead] = quick ? [5, 3, 1] : [60, 30, 10]
  const isFdb = engine.engine === "fdb"
  const name = isFdb ? "FoundationDB" : "LMDB"
  const onStore = <A, E>(
    conditions: Store.Conditions,
    measuring: (candidates: Candidates.ElectionCandidates) => Effect.Effect<A, E, Database>
  ) =>
    Store.use(
      engine,
      conditions,
      (store) => Effect.flatMap(Candidates.make({ store, elections: 1, config }), measuring)
    )
  const commitsBeside = (durability: Store.Durability) =>
    Store.use(engine, { durability }, () => Effect.map(Candidates.blindCommits(200), (took) => percentile(took, 0.5)))

  const three = yield* onStore({}, (candidates) => measure(candidates, 3, few))
  const commit = yield* commitsBeside("disk")
  const inCommits = (fraction: number) => percentile(three.tookMillis, fraction) / commit
  const figures: Array<Figure> = [
    ...handoverFigures(`${name}, 3`, three),
    { name: `${name}: a commit beside it, p50`, unit: "ms", here: commit },
    {
      name: `${name}, 3: p50 in such commits`,
      unit: "commits",
      here: inCommits(0.5),
      ...(isFdb ? { reach: { atMost: 2.2 } } : {})
    },
    {
      name: `${name}, 3: p95 in such commits`,
      unit: "commits",
      here: inCommits(0.95),
      ...(isFdb ? { reach: { atMost: 4 } } : {})
    }
  ]
  if (!isFdb) {
    const durability = "process"
    const took = yield* onStore({ durability }, (candidates) => measure(candidates, 3, many))
    const label = "LMDB, durability process, 3"
    const inCommits = percentile(took.tookMillis, 0.5) / (yield* commitsBeside(durability))
    figures.push(...times(label, took.tookMillis), {
      name: `${label}: p50 in commits`,
      unit: "commits",
      here: inCommits
    })
  }
  const twentyFive = yield* onStore({}, (candidates) => measure(candidates, 25, many))
  figures.push(
    ...handoverFigures(`${name}, 25`, twentyFive, isFdb ? 100 : 70),
    {
      name: `${name}: p50 with 25, over that with 3`,
      unit: "times",
      here: ratio(three, twentyFive),
      reach: { atMost: 1.3 }
    }
  )
  for (const isWitnessed of [true, false]) {
    const took = yield* onStore({ isWitnessed }, (candidates) => measureDeadInLine(candidates, 25, dead))
    const label = `${name}, 25, the next two dead, ${isWitnessed ? "witnessed" : "not witnessed"}`
    figures.push(
      { name: `${label}: p50`, unit: "ms", here: percentile(took, 0.5) },
      {
        name: `${label}: most`,
        unit: "ms",
        here: percentile(took, 1),
        reach: { atMost: isWitnessed ? 250 : heartbeatMillis }
      }
    )
  }
  for (const peer of peers) {
    const measured = yield* measurePeer(peer, few, many)
    if (measured === undefined) continue
    figures.push(
      ...handoverFigures(`${peer}, 3`, measured.withFew),
      ...handoverFigures(`${peer}, 25`, measured.withMany),
      {
        name: `${peer}: p50 with 25, over that with 3`,
        unit: "times",
        here: ratio(measured.withFew, measured.withMany)
      },
      {
        name: `${name}, 3: p50 over ${peer}'s`,
        unit: "times",
        here: percentile(three.tookMillis, 0.5) / percentile(measured.withFew.tookMillis, 0.5),
        ...(peer === "zookeeper" && !isFdb ? { reach: { atMost: 0.8 } } : {})
      }
    )
  }
  return figures
})

export const handover: Benchmark = {
  name: "handover",
  title: "from a resignation to the successor's work, 3 and 25 real processes, default configuration",
  betweenProcesses: true,
  run
}
