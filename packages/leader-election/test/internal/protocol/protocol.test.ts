import { Versionstamp } from "@effect-fdb/core"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as Protocol from "../../../src/internal/protocol/protocol.ts"
import type { ChallengeRecord, LeaderRecord, TenureIdentity } from "../../../src/internal/protocol/records.ts"

const stamp = (n: number) => Versionstamp.make(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, n, 0, 0))
const alice: TenureIdentity = { id: "alice", registration: stamp(1), term: 7n }
const bob = { id: "bob", registration: stamp(2), priority: 5 }

const view = (change: Partial<Protocol.View> = {}): Protocol.View => ({
  enabled: true,
  allowPreemption: true,
  leaseDuration: 10n,
  leader: { _tag: "Held", term: 7n, id: "alice", priority: 1, registration: stamp(1) },
  lease: { ballot: 9n, duration: 10n, expiry: 100n },
  challenge: undefined,
  candidate: { priority: 1, lastHeartbeat: 0n, registration: stamp(1) },
  ...change
})
const challenge = (change: Partial<ChallengeRecord> = {}): ChallengeRecord => ({
  term: 7n,
  challenger: bob,
  priority: 5,
  ...change
})
const vacant: LeaderRecord = { _tag: "Vacant", term: 7n, successor: undefined }

describe("claiming (rules 1, 4, 5)", () => {
  it("takes a vacancy at once, at the next ballot", () => {
    const claim = Protocol.claim(view({ leader: vacant }), bob, { lapsed: false, died: false, preempt: false })
    assert.deepStrictEqual(claim, { term: 10n, ends: undefined })
  })

  it("leaves a live lease alone, whatever the priority, unless preemption is asked for and allowed", () => {
    assert.isUndefined(Protocol.claim(view(), bob, { lapsed: false, died: false, preempt: false }))
    assert.isUndefined(
      Protocol.claim(view({ allowPreemption: false }), bob, { lapsed: false, died: false, preempt: true })
    )
    assert.isUndefined(Protocol.claim(view(), { ...bob, priority: 1 }, { lapsed: false, died: false, preempt: true }))
    assert.strictEqual(
      Protocol.claim(view(), bob, { lapsed: false, died: false, preempt: true })?.ends?.reason,
      "preempted"
    )
  })

  it("ends the tenure that it takes over", () => {
    const claim = Protocol.claim(view(), bob, { lapsed: true, died: false, preempt: false })
    assert.deepStrictEqual(claim, { term: 10n, ends: { term: 7n, reason: "expired" } })
  })
})

describe("observation (rule 4)", () => {
  it.prop("lapses after the whole duration without a change, counted from after the first sight", {
    since: Schema.BigInt,
    waits: Schema.Array(Schema.Natural)
  }, ({ since, waits }) => {
    let now = since
    let observation = Protocol.observe(undefined, view(), since)
    for (const wait of waits) {
      now += BigInt(wait)
      observation = Protocol.observe(observation, view(), now)
      assert.strictEqual(Protocol.hasLapsed(observation, view(), now), now - since >= 10n)
    }
  })

  it("begins anew with every ballot", () => {
    const first = Protocol.observe(undefined, view(), 0n)
    const renewed = view({ lease: { ballot: 10n, duration: 10n, expiry: 110n } })
    const second = Protocol.observe(first, renewed, 9n)
    assert.isFalse(Protocol.hasLapsed(first, renewed, 10n))
    assert.isFalse(Protocol.hasLapsed(second, renewed, 18n))
    assert.isTrue(Protocol.hasLapsed(second, renewed, 19n))
  })

  it("begins anew with another duration or term of the same ballot, as an operator may write it who repairs a record", () => {
    const first = Protocol.observe(undefined, view(), 0n)
    const repaired = view({ lease: { ballot: 9n, duration: 5n, expiry: 100n } })
    assert.isFalse(Protocol.hasLapsed(first, repaired, 10n))
    const second = Protocol.observe(first, repaired, 10n)
    assert.isFalse(Protocol.hasLapsed(second, repaired, 14n))
    assert.isTrue(Protocol.hasLapsed(second, repaired, 15n))
    const restored = view({ leader: { _tag: "Held", term: 8n, id: "bob", priority: 1, registration: stamp(2) } })
    assert.isFalse(Protocol.hasLapsed(first, restored, 10n))
  })
})

describe("renewal (rules 2, 7, 8, 9)", () => {
  const refusal = (change: Partial<Protocol.View>, tenure: TenureIdentity = alice) => {
    const renewal = Protocol.renew(view(change), tenure)
    return renewal._tag === "Refuse" ? renewal.because : renewal._tag
  }

  it("raises the ballot by one for exactly its own tenure", () => {
    assert.deepStrictEqual(Protocol.renew(view(), alice), { _tag: "Renew", ballot: 10n })
    assert.strictEqual(refusal({}, { ...alice, term: 6n }), "replaced")
    assert.strictEqual(refusal({}, { ...alice, registration: stamp(3) }), "replaced")
    assert.strictEqual(refusal({}, { ...alice, id: "bob" }), "replaced")
    assert.strictEqual(refusal({ leader: vacant }), "replaced")
  })

  it("needs the registration to stand", () => {
    assert.strictEqual(refusal({ candidate: undefined }), "evicted")
    assert.strictEqual(refusal({ candidate: { priority: 1, lastHeartbeat: 0n, registration: stamp(4) } }), "superseded")
  })

  it("is refused in a disabled election", () => {
    assert.strictEqual(refusal({ enabled: false }), "disabled")
    assert.strictEqual(refusal({ enabled: false, challenge: challenge() }), "disabled")
    assert.strictEqual(refusal({ enabled: false, challenge: challenge({ challenger: undefined }) }), "stepped-down")
  })

  it("is refused once a challenge of this term and of higher priority stands", () => {
    assert.strictEqual(refusal({ challenge: challenge() }), "preempted")
    assert.strictEqual(refusal({ challenge: challenge({ challenger: undefined, priority: 0 }) }), "stepped-down")
    assert.strictEqual(refusal({ challenge: challenge({ term: 6n }) }), "Renew")
    assert.strictEqual(refusal({ challenge: challenge({ priority: 1 }) }), "Renew")
    assert.strictEqual(refusal({ challenge: challenge(), allowPreemption: false }), "Renew")
  })
})

describe("challenges (rule 7)", () => {
  it("are made of a lower priority only, and not twice", () => {
    assert.isTrue(Protocol.shouldChallenge(view(), bob))
    assert.isFalse(Protocol.shouldChallenge(view(), { ...bob, priority: 1 }))
    assert.isFalse(Protocol.shouldChallenge(view({ leader: vacant }), bob))
    assert.isFalse(Protocol.shouldChallenge(view({ allowPreemption: false }), bob))
    assert.isFalse(Protocol.shouldChallenge(view({ challenge: challenge() }), bob))
    assert.isTrue(Protocol.shouldChallenge(view({ challenge: challenge() }), { ...bob, priority: 6 }))
    assert.isTrue(Protocol.shouldChallenge(view({ challenge: challenge({ term: 6n }) }), bob))
  })

  it("make their challenger the preferred successor, and an operator nobody", () => {
    assert.deepStrictEqual(Protocol.resignation(view({ challenge: challenge() })), {
      reason: "preempted",
      successor: bob
    })
    assert.deepStrictEqual(Protocol.resignation(view({ challenge: challenge({ challenger: undefined }) })), {
      reason: "stepped-down",
      successor: undefined
    })
    assert.deepStrictEqual(Protocol.resignation(view()), { reason: "resigned", successor: undefined })
  })
})

describe("belief against observation (rules 3 and 4)", () => {
  it.prop("a leader has stopped believing before any follower sees its lease lapsed", {
    attempt: Schema.Natural,
    commitDelay: Schema.Natural,
    sightDelay: Schema.Natural,
    lease: Schema.Int.check(Schema.isBetween({ minimum: 1_000, maximum: 1_000_000_000 })),
    // Rates in parts per thousand of real time.
    leaderRate: Schema.Int.check(Schema.isBetween({ minimum: 948, maximum: 1052 })),
    followerRate: Schema.Int.check(Schema.isBetween({ minimum: 948, maximum: 1052 }))
  }, ({ attempt, commitDelay, followerRate, leaderRate, lease, sightDelay }) => {
    const duration = BigInt(lease)
    const believedFor = Protocol.believesUntil(0n, duration, Protocol.defaultMargin(duration))
    const end = attempt + (Number(believedFor) * 1000) / leaderRate
    const lapse = attempt + commitDelay + sightDelay + (lease * 1000) / followerRate
    assert.isBelow(end, lapse)
  })
})
