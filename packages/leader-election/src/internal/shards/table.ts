/** The table in the database: a head, which members watch, and the assignment in pages. Written by the coordinator, under its guard. */
import { Bytes, type FdbError, type Reads as CoreReads, type TransactionService } from "@effect-fdb/core"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { type InvalidState, ShardsDiffer } from "../../ElectionError.ts"
import * as ElectionCodec from "../storage/codec.ts"
import * as ElectionKeys from "../storage/keys.ts"
import { invalid } from "../storage/reads.ts"
import type { Assignment } from "./assignment.ts"
import * as Codec from "./codec.ts"
import type { ShardKeys } from "./keys.ts"

/** Well below the 100,000 bytes that a value may have. */
const pageLength = 50_000

/** Decodes the head; one for another number of shards is refused. */
export const toHead = (
  { name, table }: ShardKeys,
  shards: number,
  bytes: Uint8Array | undefined
): Effect.Effect<Codec.TableHead | undefined, InvalidState | ShardsDiffer> => {
  if (bytes === undefined) return Effect.undefined
  const head = Codec.decodeHead(bytes)
  if (Result.isFailure(head)) return Effect.fail(invalid(table, head.failure))
  return head.success.shards === shards
    ? Effect.succeed(head.success)
    : Effect.fail(new ShardsDiffer({ name, given: shards, stored: head.success.shards }))
}

/** Reads the assignment of a head that was read in the same transaction. */
export const readAssignment = (
  reads: CoreReads,
  { pages, table }: ShardKeys,
  head: Codec.TableHead
): Effect.Effect<Assignment, FdbError | InvalidState> =>
  Effect.flatMap(reads.getRange(pages.range()), (pairs) =>
    Effect.fromResult(
      Result.mapError(
        Codec.decodeBody(Bytes.concat(...pairs.map(({ value }) => value)), head),
        (problem) => invalid(table, problem)
      )
    ))

export const writeTable = Effect.fnUntraced(function*(
  tx: TransactionService,
  keys: ShardKeys,
  assignment: Assignment,
  term: bigint,
  serial: bigint
) {
  const body = Codec.encodeBody(assignment)
  yield* tx.clearRange(keys.pages.range())
  for (let page = 0; page * pageLength < body.length; page++) {
    yield* tx.set(keys.page(page), body.subarray(page * pageLength, (page + 1) * pageLength))
  }
  const head = { shards: assignment.owners.length, term, serial, size: body.length }
  yield* tx.set(keys.table, Codec.encodeHead(head))
})

const one = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0)

/** Wakes the coordinator: there is one more change for it to see. */
export const countChange = (tx: TransactionService, { changes }: ShardKeys): Effect.Effect<void, FdbError> =>
  tx.atomic("Add", changes, one)

/** Removes the table, and with it the number of shards. */
export const clearTable = (tx: TransactionService, keys: ShardKeys): Effect.Effect<void, FdbError> =>
  tx.clear(keys.table).pipe(
    Effect.andThen(tx.clearRange(keys.pages.range())),
    Effect.andThen(countChange(tx, keys))
  )

/** Who leads a shard, as its election tells. */
export interface ShardLeader {
  readonly id: string
  readonly term: bigint
}

/** Who leads each shard; a shard whose record is missing or cannot be read is led by nobody. */
export const readLeaders = (
  reads: CoreReads,
  keys: ShardKeys,
  shards: number
): Effect.Effect<ReadonlyArray<ShardLeader | undefined>, FdbError> =>
  Effect.map(
    reads.getAll(Array.from({ length: shards }, (_, shard) => ElectionKeys.make(keys.shard(shard)).leader)),
    (values) =>
      values.map((bytes) => {
        const leader = bytes === undefined ? undefined : Result.getOrUndefined(ElectionCodec.decodeLeader(bytes))
        return leader?._tag === "Held" ? { id: leader.id, term: leader.term } : undefined
      })
  )
