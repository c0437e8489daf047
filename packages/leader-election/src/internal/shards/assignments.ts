/** The table as a stream, with who leads: driven by the watch on the table, with polling for who leads. */
import { Database, type FdbError, Transaction } from "@effect-fdb/core"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { InvalidState, ShardsDiffer } from "../../ElectionError.ts"
import { firstHeartbeat, isTransient } from "../candidate/contact.ts"
import * as Pacing from "../candidate/pacing.ts"
import { Watches } from "../candidate/watches.ts"
import * as Reads from "../storage/reads.ts"
import * as Assignment from "./assignment.ts"
import type { ShardKeys } from "./keys.ts"
import * as Table from "./table.ts"

/** A shard in the table, and who leads it. */
export interface ShardAssignment {
  readonly shard: number
  /** The member that is to lead it. */
  readonly owner: string | undefined
  /** The member that takes over if the owner dies. */
  readonly standby: string | undefined
  /** Who leads it by its election, as stored there, and in which term. For a time that may be another than the owner. */
  readonly leader: Table.ShardLeader | undefined
}

type Assignments = ReadonlyArray<ShardAssignment>

const sameAssignments = (a: Assignments, b: Assignments): boolean =>
  a.every((one, shard) => {
    const other = b[shard]!
    return one.owner === other.owner && one.standby === other.standby && one.leader?.term === other.leader?.term
  })

/** Reads the table and who leads. */
export const readAssignments = Effect.fnUntraced(function*(
  keys: ShardKeys,
  shards: number
): Effect.fn.Return<Assignments, FdbError | InvalidState | ShardsDiffer, Transaction> {
  const { snapshot } = yield* Transaction
  const [headBytes, leaders] = yield* Effect.all([
    snapshot.get(keys.table),
    Table.readLeaders(snapshot, keys, shards)
  ], { concurrency: "unbounded" })
  const head = yield* Table.toHead(keys, shards, headBytes)
  const { owners, standbys } = head === undefined
    ? Assignment.unassigned(shards)
    : yield* Table.readAssignment(snapshot, keys, head)
  return owners.map((owner, shard) => ({ shard, owner, standby: standbys[shard], leader: leaders[shard] }))
})

/** See `Shards.assignments`. */
export const assignments = (
  keys: ShardKeys,
  shards: number
): Stream.Stream<Assignments, FdbError | InvalidState | ShardsDiffer, Database> =>
  Stream.unwrap(Effect.gen(function*() {
    const watches = yield* Watches.make
    const sleep = yield* Pacing.pacer
    let heartbeat = firstHeartbeat
    let pause: bigint | undefined
    const look = Effect.gen(function*() {
      const tx = yield* Transaction
      watches.acknowledge()
      const read = yield* readAssignments(keys, shards)
      const config = yield* Effect.catchTag(
        Reads.read(tx.snapshot, Reads.configIfAny(keys.coordinatorKeys)),
        "InvalidState",
        () => Effect.undefined
      )
      return { read, config, watchSet: watches.isWatching ? undefined : yield* watches.set(tx, [keys.table]) }
    })
    const next: Effect.Effect<Assignments, FdbError | InvalidState | ShardsDiffer, Database> = Effect.gen(function*() {
      if (pause !== undefined) yield* watches.during(sleep({ about: pause }))
      const { config, read, watchSet } = yield* Database.transact(look)
      if (watchSet !== undefined) yield* watches.use(watchSet)
      if (config !== undefined) heartbeat = Duration.toNanosUnsafe(config.heartbeatInterval)
      // Soon where a shard is on its way to its owner.
      pause = read.some(({ leader, owner }) => leader?.id !== owner) ? heartbeat / 4n : heartbeat
      return read
    }).pipe(
      Effect.tapError(() => Effect.sync(() => void (pause = heartbeat))),
      Effect.retry({ while: (error) => error._tag === "FdbError" && isTransient(error) })
    )
    return Stream.changesWith(Stream.fromEffectRepeat(next), sameAssignments)
  }))
