import { Tuple, Versionstamp } from "@effect-fdb/core"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Result, Schema } from "effect"
import { ElectionConfig } from "../../../src/index.ts"
import * as Codec from "../../../src/internal/storage/codec.ts"

const stamp = (n: number) => Versionstamp.make(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, n % 256, 0, 0))
const Nanos = Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: 0n, maximum: 2n ** 63n - 1n }))
const Wide = Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: -(2n ** 62n), maximum: 2n ** 64n }))
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
      const appointed = { ...held, appointedBy: { id: `${id}'`, registration: stamp(2) } }
      const call = { call: { term, rank: 2, isVacancy: true } }
      const vacant = { _tag: "Vacant", term, successor: { id, registration } } as const
      const lease = { ballot: term, duration: 1n, expiry: term }
      const challenge = { term, challenger: { id, registration }, priority }
      const candidate = { priority, lastHeartbeat: term, registration }
      const history = { leaderId: id, start: term, end: undefined, reason: undefined }
      assert.deepStrictEqual(Codec.decodeLeader(Result.getOrThrow(Codec.encodeLeader(held))), Result.succeed(held))
      assert.deepStrictEqual(
        Codec.decodeLeader(Result.getOrThrow(Codec.encodeLeader(appointed))),
        Result.succeed(appointed)
      )
      for (const record of [call, { call: undefined }]) {
        assert.deepStrictEqual(Codec.decodeCall(Result.getOrThrow(Codec.encodeCall(record))), Result.succeed(record))
      }
      assert.deepStrictEqual(Codec.decodeLeader(Result.getOrThrow(Codec.encodeLeader(vacant))), Result.succeed(vacant))
      assert.deepStrictEqual(Codec.decodeLease(Result.getOrThrow(Codec.encodeLease(lease))), Result.succeed(lease))
      assert.deepStrictEqual(
        Codec.decodeChallenge(Result.getOrThrow(Codec.encodeChallenge(challenge))),
        Result.succeed(challenge)
      )
      assert.deepStrictEqual(
        Codec.decodeCandidate(Result.getOrThrow(Codec.encodeCandidate(candidate))),
        Result.succeed(candidate)
      )
      assert.deepStrictEqual(
        Codec.decodeHistory(Result.getOrThrow(Codec.encodeHistory(history))),
        Result.succeed(history)
      )
    }
  )

  it("keep a configuration to the nanosecond", () => {
    const config = new ElectionConfig({ leaseDuration: Duration.nanos(10_000_000_001n), allowPreemption: false })
    const decoded = Codec.decodeConfig(Result.getOrThrow(Codec.encodeConfig(config)))
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

  it("of numbers that would not decode are not encoded", () => {
    const registration = stamp(1)
    const tooLarge = 2n ** 63n
    const encodings: ReadonlyArray<Result.Result<unknown, unknown>> = [
      ...[-1n, tooLarge].flatMap((time): ReadonlyArray<Result.Result<unknown, unknown>> => [
        Codec.encodeLease({ ballot: 1n, duration: 1n, expiry: time }),
        Codec.encodeCandidate({ priority: 0, lastHeartbeat: time, registration }),
        Codec.encodeRegistration(0, time),
        Codec.encodeHistory({ leaderId: "a", start: time, end: undefined, reason: undefined }),
        Codec.encodeHistory({ leaderId: "a", start: 1n, end: time, reason: "resigned" })
      ]),
      ...[-1n, tooLarge].flatMap((term): ReadonlyArray<Result.Result<unknown, unknown>> => [
        Codec.encodeLease({ ballot: term, duration: 1n, expiry: 1n }),
        Codec.encodeLeader({ _tag: "Vacant", term, successor: undefined }),
        Codec.encodeLeader({ _tag: "Held", term, id: "a", priority: 0, registration }),
        Codec.encodeChallenge({ term, challenger: undefined, priority: 0 })
      ]),
      ...[0n, -1n, tooLarge].map((duration) => Codec.encodeLease({ ballot: 1n, duration, expiry: 1n })),
      ...[Number.NaN, 0.5, Number.POSITIVE_INFINITY, 2 ** 31, -(2 ** 31) - 1].flatMap((
        priority
      ): ReadonlyArray<Result.Result<unknown, unknown>> => [
        Codec.encodeLeader({ _tag: "Held", term: 1n, id: "a", priority, registration }),
        Codec.encodeCandidate({ priority, lastHeartbeat: 1n, registration }),
        Codec.encodeRegistration(priority, 1n),
        Codec.encodeChallenge({ term: 1n, challenger: undefined, priority })
      ]),
      ...["leaseDuration", "heartbeatInterval", "candidateTimeout"].flatMap((field) =>
        [0n, -1n, tooLarge].map((nanos) => Codec.encodeConfig(new ElectionConfig({ [field]: Duration.nanos(nanos) })))
      )
    ]
    assert.deepStrictEqual(encodings.filter(Result.isSuccess), [])
  })

  it.prop(
    "are encoded if and only if they decode",
    { ballot: Wide, duration: Wide, expiry: Wide },
    (lease) => {
      const encoded = Codec.encodeLease(lease)
      const unchecked = Tuple.pack([1n, lease.ballot, lease.duration, lease.expiry])
      assert.strictEqual(Result.isSuccess(encoded), Result.isSuccess(Codec.decodeLease(unchecked)))
      if (Result.isSuccess(encoded)) assert.deepStrictEqual(encoded.success, unchecked)
    }
  )
})
