import { Database, MemoryDatabase, Subspace, Transaction, Versionstamp } from "@effect-fdb/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, Schema } from "effect"
import * as Codec from "../../../src/internal/storage/codec.ts"
import * as Keys from "../../../src/internal/storage/keys.ts"
import * as Reads from "../../../src/internal/storage/reads.ts"
import * as Writes from "../../../src/internal/storage/writes.ts"

const keys = Keys.make(Subspace.fromTuple(["app", "election"]))

/** What stands under an id. */
const Standing = Schema.Struct({
  id: Schema.String.check(Schema.isPattern(/^[a-cà]{0,3}$/)),
  candidate: Schema.Literals(["none", "stands", "damaged"]),
  isCalled: Schema.Boolean
})

const registration = Versionstamp.make(new Uint8Array(10).fill(7), 0)
const record = Result.getOrThrow(Codec.encodeCandidate({ priority: 3, lastHeartbeat: 5n, registration }))

const nomineesOf = (standings: ReadonlyArray<typeof Standing.Type>) =>
  Database.transact(Effect.gen(function*() {
    const tx = yield* Transaction
    for (const { candidate, id, isCalled } of standings) {
      if (isCalled) yield* Writes.writeCall(tx, keys, id, undefined)
      if (candidate !== "none") yield* tx.set(keys.candidate(id), candidate === "damaged" ? new Uint8Array(3) : record)
    }
    // The neighbours of what is read.
    yield* tx.set(keys.challenge, new Uint8Array(1))
    yield* tx.set(Subspace.fromTuple(["app", "election", "call"]).prefix, new Uint8Array(1))
    return yield* Reads.readNominees(tx.snapshot, keys)
  })).pipe(Effect.provide(MemoryDatabase.layer))

const named = (count: number, named: (n: number) => Omit<typeof Standing.Type, "id">) =>
  Array.from({ length: count }, (_, n) => ({ id: String(n).padStart(4, "0"), ...named(n) }))

describe("those that may be appointed", () => {
  it.effect.prop(
    "are the candidates that can be read and called, in the order of their ids, whatever else stands",
    [Schema.Array(Standing)],
    Effect.fnUntraced(function*([standings]) {
      const distinct = [...new Map(standings.slice(0, 40).map((standing) => [standing.id, standing])).values()]
      const expected = distinct.filter(({ candidate, isCalled }) => candidate === "stands" && isCalled)
        .map(({ id }) => id).toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      const nominees = yield* nomineesOf(distinct)
      assert.deepStrictEqual(nominees.map(({ id }) => id), expected)
      for (const { id, ...nominee } of nominees) {
        assert.deepStrictEqual({ id, ...nominee }, { id, priority: 3, lastHeartbeat: 5n, registration })
      }
    })
  )

  it.effect("are those among the first hundred of each, where there are more candidates, or more that can be called", () =>
    Effect.gen(function*() {
      for (const count of [99, 100, 101, 150, 250]) {
        const all = yield* nomineesOf(named(count, () => ({ candidate: "stands", isCalled: true })))
        assert.strictEqual(all.length, Math.min(count, 100))
        const candidates = yield* nomineesOf(named(count, (n) => ({ candidate: "stands", isCalled: n === 0 })))
        assert.strictEqual(candidates.length, 1)
        const called = yield* nomineesOf(
          named(count, (n) => ({ candidate: n === 0 ? "stands" : "none", isCalled: true }))
        )
        assert.strictEqual(called.length, 1)
      }
    }))
})
