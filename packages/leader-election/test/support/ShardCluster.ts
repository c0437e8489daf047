/** Processes that share shards on a database in memory, under the test clock. Each has a connection of its own, and can be killed. */
import { Database, type InstrumentedEngine, Subspace, type Transaction, Witness } from "@effect-fdb/core"
import { assert } from "@effect/vitest"
import { Effect, Exit, Scheduler, type Scope } from "effect"
import { TestClock } from "effect/testing"
import { type ElectionConfig, LeaderElection, type Leadership, type Shards } from "../../src/index.ts"
import { killable } from "../../src/internal/testing/killable.ts"
import type { TestWitness } from "../../src/testing/TestWitness.ts"
import { type Host, makeHosts } from "./host.ts"

/** A process that takes part. */
export interface Member {
  readonly id: string
  readonly host: Host
  readonly candidacy: Shards.ShardCandidacy
  /** The shards that it works on, its finalizers included. */
  readonly works: () => ReadonlyArray<number>
  /** Its process ends without another step. */
  readonly kill: Effect.Effect<void>
  /** It leaves in order; not waited for. */
  readonly leave: Effect.Effect<void>
  /** How its run has ended, if it has. */
  readonly exit: () => Exit.Exit<never, unknown> | undefined
}

export interface MemberOptions extends Shards.ShardCandidateOptions {
  readonly work?: (shard: number, leadership: Leadership) => Effect.Effect<unknown, unknown, Scope.Scope>
  readonly shards?: number
  /** By how much its wall clock is ahead, in milliseconds. */
  readonly wallOffset?: number
}

export interface Options {
  readonly shards?: number
  readonly config?: ElectionConfig
  readonly latencies?: InstrumentedEngine.Latencies
  /** Where the members witness each other. */
  readonly witness?: TestWitness
}

export const subspace = Subspace.fromTuple(["app", "shards"])

/** A cluster without members. Its scope ends those that still take part, and fails if two works of one shard have overlapped. */
export const makeCluster = Effect.fnUntraced(function*(
  { config, latencies, shards: count = 16, witness }: Options = {}
) {
  yield* TestClock.adjust(0)
  const makeHost = yield* makeHosts(latencies)
  const observer = makeHost()
  const shardsOf = (shards: number) => LeaderElection.shards(subspace, { shards, ...(config && { config }) })
  const shards = shardsOf(count)
  const members: Array<Member> = []
  const worksOf = new Map<number, Map<Host, string>>()
  const overlaps: Array<string> = []
  /** How often a work was begun, by shard. */
  const begun = new Map<number, number>()

  const hostAt = (wallOffset: number): Host => {
    const host = makeHost()
    host.wallOffset = wallOffset
    return host
  }

  const start = Effect.fnUntraced(
    function*(id: string, { shards: own, wallOffset = 0, work = () => Effect.never, ...options }: MemberOptions = {}) {
      const host = hostAt(wallOffset)
      let isDead = false
      const working = new Set<number>()
      const candidacy = yield* (own === undefined ? shards : shardsOf(own)).candidacy({ id, ...options })
      const begin = (shard: number, term: bigint) => {
        const works = worksOf.get(shard) ?? new Map<Host, string>()
        for (const other of works.values()) overlaps.push(`${id} in term ${term} and ${other} on shard ${shard}`)
        worksOf.set(shard, works.set(host, `${id} in term ${term}`))
        begun.set(shard, (begun.get(shard) ?? 0) + 1)
        working.add(shard)
      }
      const end = (shard: number) => {
        worksOf.get(shard)?.delete(host)
        working.delete(shard)
      }
      const run = candidacy.run((shard, leadership) =>
        Effect.andThen(
          // The first finalizer of the work's scope is the last thing to be run in it.
          Effect.acquireRelease(Effect.sync(() => begin(shard, leadership.term)), () => Effect.sync(() => end(shard))),
          work(shard, leadership)
        )
      ).pipe(Effect.updateService(Scheduler.Scheduler, (base) => killable(base, () => isDead)))
      const process = witness && (yield* witness.start)
      const witnessed = process ? Effect.provideService(run, Witness, process.witness) : run
      const fiber = yield* Effect.forkDetach(host.run(witnessed), { startImmediately: true })
      const member: Member = {
        id,
        host,
        candidacy,
        works: () => [...working].toSorted((a, b) => a - b),
        kill: Effect.suspend(() => {
          isDead = true
          for (const shard of working) end(shard)
          return process?.end ?? Effect.void
        }),
        leave: Effect.sync(() => fiber.interruptUnsafe()),
        exit: () => fiber.pollUnsafe()
      }
      members.push(member)
      return member
    }
  )

  yield* Effect.addFinalizer(() =>
    Effect.gen(function*() {
      yield* Effect.forEach(members, ({ leave }) => leave)
      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual(overlaps, [])
    })
  )

  /** How many works there are of each shard. */
  const counts = () => Array.from({ length: count }, (_, shard) => worksOf.get(shard)?.size ?? 0)
  /** How many shards each of the members works on. */
  const sizes = (of: ReadonlyArray<Member>) => of.map(({ works }) => works().length)
  const isBalanced = (of: ReadonlyArray<Member>) =>
    counts().every((works) => works === 1) && Math.max(...sizes(of)) - Math.min(...sizes(of)) <= 1 &&
    sizes(of).reduce((sum, size) => sum + size, 0) === count
  /** The time in seconds until a condition holds, to a tenth; it fails after `most` of them. */
  const until = Effect.fnUntraced(function*(condition: () => boolean, most = 60) {
    for (let tenths = 0; tenths <= most * 10; tenths++) {
      if (condition()) return tenths / 10
      yield* TestClock.adjust("100 millis")
    }
    return yield* Effect.die(
      new Error(`not within ${most} s: ${JSON.stringify(members.map(({ id, works }) => [id, works().length]))}`)
    )
  })
  const transact = <A, E>(body: Effect.Effect<A, E, Transaction>) => observer.run(Database.transact(body))

  return {
    shards,
    start,
    counts,
    sizes,
    isBalanced,
    /** The seconds until all shards are led and within one of the mean among these. */
    balanced: (of: ReadonlyArray<Member>, most?: number) => until(() => isBalanced(of), most),
    until,
    begun: () => [...begun.values()].reduce((sum, times) => sum + times, 0),
    observer,
    transact
  }
})

/** The error of a run that has failed. */
export const errorOf = (member: Member): unknown => {
  const exit = member.exit()
  return exit !== undefined && Exit.isFailure(exit)
    ? exit.cause.reasons.map((reason) => "error" in reason ? reason.error : reason)[0]
    : undefined
}
