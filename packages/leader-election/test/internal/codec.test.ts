import { Tuple, Versionstamp } from "@effect-fdb/core"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Result, Schema } from "effect"
import { ElectionConfig } from "../../src/index.ts"
import * as Codec from "../../src/internal/codec.ts"

const stamp = (n: number) => Versionstamp.make(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, n % 256, 0, 0))
const Nanos = Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: 0n, maximum: 2n ** 63n - 1n }))
const Priority = Schema.Int.check(Schema.isBetween({ minimum: -(2 ** 31), maximum: 2 ** 31 - 1 }))

const problem = (result: Result.Result<unknown, string>) => Result.isFailure(result) ? result.failure : "it decoded"

describe("records", () => {
  it.prop(
    "come back as they were written",
    { term: Nanos, priority: Priority, id: Schema.NonEmptyString },
    (record) => {
      const { id, priority, term } = record
      if (/\p{Surrogate}/u.test(id)) return
      const registration = stamp(1)
      const held = { _tag: "Held", term, id, priority, registration } as const
      const vacant = { _tag: "Vacant", term, successor: { id, registration } } as const
      const lease = { ballot: term, duration: 1n, expiry: term }
      const challenge = { term, challenger: { id, registration }, priority }
      const candidate = { priority, lastHeartbeat: term, registration }
      const history = { leaderId: id, start: term, end: undefined, reason: undefined }
      assert.deepStrictEqual(Codec.decodeLeader(Codec.encodeLeader(held)), Result.succeed(held))
      assert.deepStrictEqual(Codec.decodeLeader(Codec.encodeLeader(vacant)), Result.succeed(vacant))
      assert.deepStrictEqual(Codec.decodeLease(Codec.encodeLease(lease)), Result.succeed(lease))
      assert.deepStrictEqual(Codec.decodeChallenge(Codec.encodeChallenge(challenge)), Result.succeed(challenge))
      assert.deepStrictEqual(Codec.decodeCandidate(Codec.encodeCandidate(candidate)), Result.succeed(candidate))
      assert.deepStrictEqual(Codec.decodeHistory(Codec.encodeHistory(history)), Result.succeed(history))
    }
  )

  it("keep a configuration to the nanosecond", () => {
    const config = new ElectionConfig({ leaseDuration: Duration.nanos(10_000_000_001n), allowPreemption: false })
    const decoded = Codec.decodeConfig(Codec.encodeConfig(config))
    assert.isTrue(Result.isSuccess(decoded))
    if (Result.isSuccess(decoded)) {
      assert.strictEqual(Duration.toNanosUnsafe(decoded.success.leaseDuration), 10_000_000_001n)
      assert.isFalse(decoded.success.allowPreemption)
    }
  })

  it("of a newer version say so", () => {
    assert.include(problem(Codec.decodeLease(Tuple.pack([2n, 1n, 1n, 1n]))), "version 2")
  })

  it("that are damaged are a problem, never a record", () => {
    assert.notStrictEqual(problem(Codec.decodeLease(Tuple.pack([1n, 1n, 1n]))), "it decoded")
    assert.notStrictEqual(problem(Codec.decodeLease(Tuple.pack([1n, -1n, 1n, 1n]))), "it decoded")
    assert.notStrictEqual(problem(Codec.decodeLease(Tuple.pack([1n, 1n, 0n, 1n]))), "it decoded")
    assert.notStrictEqual(problem(Codec.decodeLease(Uint8Array.of(0x15))), "it decoded")
    assert.notStrictEqual(problem(Codec.decodeLease(new Uint8Array(0))), "it decoded")
    const leaderless = Tuple.pack([1n, 1n, "alice", 0, null, null, null])
    assert.include(problem(Codec.decodeLeader(leaderless)), "registration")
  })
})
