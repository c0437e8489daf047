/**
 * The database's own side: one engine in memory that all processes share, the record of everything that was committed to
 * it, in commit order, and whether it is there at all.
 */
import { Bytes, type Engine, type FdbError, MemoryDatabase, VersionedStore } from "@effect-fdb/core"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type { EventLog } from "./EventLog.ts"
import { atOnce } from "./internal/atOnce.ts"
import { calm, type Weather } from "./Weather.ts"
import type { World } from "./World.ts"

/** One commit, as it was applied. */
export interface CommitRecord {
  /** When, in nanoseconds of the world. */
  readonly at: number
  readonly version: bigint
  /** The machine that sent it. */
  readonly by: string
  /** In this order, with versionstamps filled in. */
  readonly mutations: ReadonlyArray<VersionedStore.PlainMutation>
}

export class Cluster {
  readonly world: World
  readonly log: EventLog
  readonly engine: Engine.Engine
  readonly record: Array<CommitRecord> = []
  /** The weather everywhere. */
  weather: Weather = calm
  private down = 0
  /** What recoveries have added to the version, in nanoseconds of its clock. */
  private jumped = 0
  private readonly atRecovery: Array<() => void> = []

  constructor(world: World, log: EventLog) {
    this.world = world
    this.log = log
    const now = () => BigInt(world.now + this.jumped)
    const clock: Clock.Clock = {
      currentTimeMillisUnsafe: () => Number(now() / 1_000_000n),
      currentTimeNanosUnsafe: now,
      monotonicTimeNanosUnsafe: now,
      currentTimeMillis: Effect.sync(() => Number(now() / 1_000_000n)),
      currentTimeNanos: Effect.sync(now),
      monotonicTimeNanos: Effect.sync(now),
      sleep: () => Effect.die("the database does not wait")
    }
    this.engine = Effect.runSync(Effect.provideService(MemoryDatabase.makeEngine, Clock.Clock, clock))
  }

  get isDown(): boolean {
    return this.down > 0
  }

  /** Nobody answers any more. */
  goDown(): void {
    this.down++
  }

  /** It answers again, `versions` ahead of where it would have been. */
  recover(versions: number): void {
    this.jumped += versions * 1000
    if (--this.down > 0) return
    for (const run of this.atRecovery.splice(0)) run()
  }

  whenRecovered(run: () => void): void {
    this.atRecovery.push(run)
  }

  /** Commits, now, and keeps a record of it. */
  commit(
    by: string,
    transaction: Engine.EngineTransaction,
    mutations: ReadonlyArray<VersionedStore.Commit["mutations"][number]>
  ): Exit.Exit<Engine.Committed, FdbError> {
    transaction.requestVersionstamp()
    const exit = atOnce(transaction.commit)
    if (exit._tag === "Success" && exit.value.version !== -1n && exit.value.versionstamp !== undefined) {
      const { version } = exit.value
      const order = Bytes.readUint(exit.value.versionstamp, 8, 2)
      const bound = VersionedStore.bind(
        { readVersion: undefined, readConflicts: [], writeConflicts: [], mutations, timeoutMillis: 0 },
        { version, order }
      )
      this.record.push({ at: this.world.now, version, by, mutations: bound.mutations })
    }
    return exit
  }
}
