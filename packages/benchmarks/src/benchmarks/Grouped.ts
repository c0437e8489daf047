/**
 * What the elections that one process leads have in common, on a clock that does not wait: how many transactions they need, and
 * whether one that is disturbed delays the others.
 */
import { Bytes, Database, InstrumentedEngine, MemoryDatabase, Transaction } from "@effect-fdb/core"
import type { ElectionEvent, LeaderElection } from "@effect-fdb/leader-election"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import type { Benchmark, Figure } from "../Benchmark.ts"
import { AcceleratedClock } from "../cpu/AcceleratedClock.ts"
import { heartbeatMillis, names } from "../cpu/load.ts"
import { electionOf, lead } from "../cpu/supervised.ts"
import { everything } from "../harness/Testbed.ts"

/** After this time, all are led. */
const settledMillis = 30_000

const usurper = "usurper"

type Disturbance = (election: LeaderElection.LeaderElection) => Effect.Effect<unknown, Error, Transaction>

/** What may happen to an election. */
export const disturbances = {
  challenged: ({ requestStepDown }) => requestStepDown,
  replaced: ({ tryClaimLeadership }) => tryClaimLeadership(usurper),
  evicted: ({ subspace }) => Transaction.use((tx) => tx.clear(subspace.subspace(["candidates"]).pack(["leader"]))),
  corrupted: ({ subspace }) => Transaction.use((tx) => tx.set(subspace.pack(["lease"]), Bytes.fromString("corrupt")))
} satisfies Record<string, Disturbance>

/** The renewals of each election. */
class Observed {
  readonly lost = new Set<string>()
  private readonly clock: Clock.Clock
  private readonly renewedAt = new Map<string, number>()
  private readonly longest = new Map<string, number>()

  constructor(clock: Clock.Clock) {
    this.clock = clock
  }

  readonly observe = ({ _tag, election }: ElectionEvent): void => {
    if (_tag === "Lost") this.lost.add(election)
    else if (_tag === "Renewed") this.renewedAt.set(election, this.extend(election))
  }

  /** Of all elections but these: the longest time since a renewal, in heartbeats, since this was last read; and how many were lost. */
  read(but: ReadonlySet<string>): { readonly longest: number; readonly lost: number } {
    const others = [...this.renewedAt.keys()].filter((election) => !but.has(election))
    for (const election of others) this.extend(election)
    const longest = Math.max(...others.map((election) => this.longest.get(election)!))
    this.longest.clear()
    return { longest: longest / heartbeatMillis, lost: others.filter((election) => this.lost.has(election)).length }
  }

  private extend(election: string): number {
    const now = Number(this.clock.monotonicTimeNanosUnsafe()) / 1e6
    const gap = now - (this.renewedAt.get(election) ?? now)
    this.longest.set(election, Math.max(gap, this.longest.get(election) ?? 0))
    return now
  }
}

interface Extent {
  readonly elections: number
  /** The number of elections that are disturbed in each way, one after another. */
  readonly victims: number
  /** How long the elections are left alone before. */
  readonly undisturbedMillis: number
}

/** Leads the elections in one process, whose round trips take time, and disturbs some of them. */
export const measure = ({ elections, undisturbedMillis, victims }: Extent) =>
  Effect.suspend(() => {
    const clock = new AcceleratedClock()
    const observed = new Observed(clock)
    const victimsSoFar = new Set<string>()
    return Effect.gen(function*() {
      const memory = yield* MemoryDatabase.makeEngine
      const { transact } = Database.fromEngine(memory)
      const { counts, engine } = InstrumentedEngine.make(memory, everything)
      yield* lead(engine, elections, observed.observe)
      yield* Effect.sleep(settledMillis)
      observed.read(victimsSoFar)
      const before = yield* counts
      yield* Effect.sleep(undisturbedMillis)
      const after = yield* counts
      const transactions = (["commits", "conflicts", "readOnlyCommits"] as const)
        .reduce((sum, kind) => sum + after[kind] - before[kind], 0)
      const others = [{ how: "undisturbed", ...observed.read(victimsSoFar) }]
      for (const [how, disturbance] of Object.entries<Disturbance>(disturbances)) {
        for (const name of names(elections).slice(victimsSoFar.size, victimsSoFar.size + victims)) {
          victimsSoFar.add(name)
          const election = electionOf(name)
          yield* Effect.flatten(transact(election.registerCandidate(usurper, 1)))
          yield* transact(disturbance(election))
          // So that it falls on all parts of a heartbeat.
          yield* Effect.sleep(0.37 * heartbeatMillis)
        }
        // A belief that can no longer be renewed ends in this time.
        yield* Effect.sleep(4 * heartbeatMillis)
        others.push({ how, ...observed.read(victimsSoFar) })
      }
      return {
        transactionsPerSecond: transactions / undisturbedMillis * 1000,
        others,
        victims: victimsSoFar,
        lost: new Set(observed.lost)
      }
    }).pipe(
      Effect.scoped,
      Effect.raceFirst(Effect.andThen(clock.pass(Number.POSITIVE_INFINITY), Effect.never)),
      Effect.provideService(Clock.Clock, clock),
      // The disturbed elections log what happens to them.
      Effect.provideService(References.MinimumLogLevel, "None")
    )
  })

export const disturbed: Benchmark = {
  name: "disturbed",
  title: "1,000 elections led by one process, heartbeat 3 s, virtual time; some are disturbed, one after another",
  run: ({ quick }) =>
    Effect.map(
      measure({ elections: 1000, victims: quick ? 3 : 20, undisturbedMillis: quick ? 15_000 : 320_000 }),
      ({ others, transactionsPerSecond }): ReadonlyArray<Figure> => [
        { name: "transactions at the store", unit: "a second", here: transactionsPerSecond, reach: { atMost: 4 } },
        ...others.flatMap(({ how, longest, lost }) => [
          // The jitter makes a heartbeat longer, by a fifth at most.
          { name: `${how}: longest between renewals`, unit: "heartbeats", here: longest, reach: { atMost: 1.3 } },
          { name: `${how}: tenures lost of others`, unit: "tenures", here: lost, reach: { atMost: 0 } }
        ])
      ]
    )
}
