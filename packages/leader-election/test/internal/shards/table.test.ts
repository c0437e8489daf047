import { Bytes, Database, MemoryDatabase, Subspace, Transaction, Tuple } from "@effect-fdb/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, Schema } from "effect"
import type { Assignment } from "../../../src/internal/shards/assignment.ts"
import * as Codec from "../../../src/internal/shards/codec.ts"
import * as Keys from "../../../src/internal/shards/keys.ts"
import * as Table from "../../../src/internal/shards/table.ts"

const keys = Keys.make(Subspace.fromTuple(["app", "shards"]))

/** Writes a table, and reads it again. */
const throughDatabase = (assignment: Assignment) =>
  Effect.gen(function*() {
    yield* Database.transact(Effect.flatMap(Transaction, (tx) => Table.writeTable(tx, keys, assignment, 7n, 3n)))
    return yield* Database.transact(Effect.gen(function*() {
      const tx = yield* Transaction
      const head = yield* Table.toHead(keys, assignment.owners.length, yield* tx.get(keys.table))
      return { head, assignment: yield* Table.readAssignment(tx, keys, head!) }
    }))
  })

const Ids = Schema.Array(Schema.Literals(["", "a", "b", "web-1-4711-kfjwqzab", "é"])).check(
  Schema.isMinLength(1),
  Schema.isMaxLength(40)
)
const orNone = (id: string) => id === "" ? undefined : id

describe("a table", () => {
  it.effect.prop("is read as it was written", { ids: Ids }, ({ ids }) =>
    Effect.gen(function*() {
      const assignment = { owners: ids.map(orNone), standbys: ids.toReversed().map(orNone) }
      const read = yield* throughDatabase(assignment)
      assert.deepStrictEqual(read.assignment, assignment)
      assert.deepInclude(read.head, { shards: ids.length, term: 7n, serial: 3n })
    }).pipe(Effect.provide(MemoryDatabase.layer)), { arbitrary: { runs: 30 } })

  it.effect("of the most shards, each of another member with a long name, is read as it was written, and so is a shorter one over it", () =>
    Effect.gen(function*() {
      const owners = Array.from({ length: Codec.maxShards }, (_, shard) => `${shard}-${"x".repeat(100)}`)
      const large = { owners, standbys: owners.toReversed() }
      assert.deepStrictEqual((yield* throughDatabase(large)).assignment, large)
      const small = { owners: owners.map(() => "a"), standbys: owners.map(() => undefined) }
      assert.deepStrictEqual((yield* throughDatabase(small)).assignment, small)
    }).pipe(Effect.provide(MemoryDatabase.layer)))

  it("that is cut, or changed in its length or its members, is refused", () => {
    const body = Codec.encodeBody({ owners: ["a", "b"], standbys: ["b", "a"] })
    const head = { shards: 2, term: 1n, serial: 0n, size: body.length }
    assert.isTrue(Result.isSuccess(Codec.decodeBody(body, head)))
    const wrong: ReadonlyArray<readonly [Uint8Array, Codec.TableHead]> = [
      [body.subarray(1), head],
      [body.subarray(0, -1), head],
      [body, { ...head, shards: 3 }],
      ...[
        [["a"], Uint8Array.of(0, 1, 0, 2), Uint8Array.of(0, 0, 0, 0)],
        [[1], Uint8Array.of(0, 1, 0, 1), Uint8Array.of(0, 0, 0, 0)],
        ["ab", Uint8Array.of(0, 1, 0, 1), Uint8Array.of(0, 0, 0, 0)],
        [["a"], Uint8Array.of(0, 1, 0, 1)],
        []
      ].map((elements) => {
        const bytes = Tuple.pack(elements)
        return [bytes, { ...head, size: bytes.length }] as const
      })
    ]
    for (const [bytes, of] of wrong) {
      assert.isTrue(Result.isFailure(Codec.decodeBody(bytes, of)), Bytes.toPrintable(bytes))
    }
  })

  it("has a head that is refused where a number in it cannot be", () => {
    const heads = [[1, 0, 1, 0, 9], [1, 16_385, 1, 0, 9], [1, 16, -1, 0, 9], [1, 16, 1, 0], [1, 16, 1, 0, "9"], [
      0,
      16,
      1,
      0,
      9
    ], []]
    for (const head of heads) assert.isTrue(Result.isFailure(Codec.decodeHead(Tuple.pack(head))), String(head))
    assert.isTrue(Result.isSuccess(Codec.decodeHead(Tuple.pack([1, 16, 1, 0, 9]))))
  })
})

describe("the record of a member", () => {
  it("holds each weight, and is refused with a weight that none can have", () => {
    for (const weight of [0, 0.1, 1, 1_000_000]) {
      const record = { weight, since: 5n }
      assert.deepStrictEqual(Result.getOrThrow(Codec.decodeMember(Codec.encodeMember(record))), record)
    }
    for (const weight of [-1, Number.NaN, Number.POSITIVE_INFINITY, 1_000_001]) {
      assert.isTrue(Result.isFailure(Codec.decodeMember(Codec.encodeMember({ weight, since: 5n }))), String(weight))
    }
    for (const fields of [[1, 1, 5], [1, Tuple.double(1)], [2, Tuple.double(1), 5], []]) {
      assert.isTrue(Result.isFailure(Codec.decodeMember(Tuple.pack(fields))))
    }
  })
})
