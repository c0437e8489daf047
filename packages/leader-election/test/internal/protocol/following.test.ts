import { Versionstamp } from "@effect-fdb/core"
import { assert, describe, it } from "@effect/vitest"
import * as Protocol from "../../../src/internal/protocol/protocol.ts"
import type { Identity, LeaderRecord } from "../../../src/internal/protocol/records.ts"

const identity = (id: string, n: number): Identity => ({
  id,
  registration: Versionstamp.make(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, n), 0)
})
const me = { ...identity("me", 1), priority: 5 }
const other = identity("other", 2)
const heartbeat = 3n

const held = (who: Identity, priority = 5, term = 1n): LeaderRecord => ({ _tag: "Held", term, priority, ...who })
const vacant = (successor?: Identity): LeaderRecord => ({ _tag: "Vacant", term: 1n, successor })

const view = (leader: LeaderRecord, changes: Partial<Protocol.View> = {}): Protocol.View => ({
  enabled: true,
  allowPreemption: true,
  leaseDuration: 10n,
  leader,
  lease: { ballot: 4n, duration: 10n, expiry: 0n },
  challenge: undefined,
  candidate: { priority: 5, lastHeartbeat: 0n, registration: me.registration },
  ...changes
})

/** What a follower does that sees `seen` at `now`, having remembered what it saw before. */
const act = (seen: Protocol.View, now: bigint, before = Protocol.blank, who: Protocol.Claimant = me, died = false) => {
  const memory = Protocol.remember(before, seen, now)
  return { memory, step: Protocol.step(memory, seen, who, now, heartbeat, died) }
}

describe("a follower", () => {
  it("claims a vacancy at once, in the term after the last ballot", () => {
    const { step } = act(view(vacant()), 100n)
    assert.deepInclude(step, { _tag: "Claim", cause: "vacant", claim: { term: 5n, ends: undefined } })
  })

  it("follows a leader until the lease has been seen unchanged for its duration, and then claims", () => {
    const first = act(view(held(other)), 100n)
    assert.deepStrictEqual(first.step, { _tag: "Follow", until: 110n })
    assert.deepStrictEqual(act(view(held(other)), 109n, first.memory).step, { _tag: "Follow", until: 110n })
    assert.deepInclude(act(view(held(other)), 110n, first.memory).step, { _tag: "Claim" })
  })

  it("begins to count anew when the ballot has moved", () => {
    const first = act(view(held(other)), 100n)
    const renewed = view(held(other), { lease: { ballot: 5n, duration: 10n, expiry: 0n } })
    assert.deepStrictEqual(act(renewed, 110n, first.memory).step, { _tag: "Follow", until: 120n })
  })

  it("leaves a vacancy to the preferred successor for one heartbeat, and takes it at once if that is itself", () => {
    const first = act(view(vacant(other)), 100n)
    assert.deepStrictEqual(first.step, { _tag: "Follow", until: 103n })
    assert.deepInclude(act(view(vacant(other)), 103n, first.memory).step, { _tag: "Claim" })
    assert.deepInclude(act(view(vacant(me)), 100n).step, { _tag: "Claim" })
  })

  it("leaves each vacancy to its preferred successor, though it has not seen the tenure between two of them", () => {
    const first = act(view(vacant()), 100n)
    const next: LeaderRecord = { _tag: "Vacant", term: 5n, successor: other }
    const second = act(view(next, { lease: { ballot: 5n, duration: 10n, expiry: 0n } }), 110n, first.memory)
    assert.deepStrictEqual(second.step, { _tag: "Follow", until: 113n })
  })

  it("counts a vacancy from its beginning, though it has followed that tenure", () => {
    const first = act(view(held(other)), 100n)
    assert.deepStrictEqual(act(view(vacant(other)), 105n, first.memory).step, { _tag: "Follow", until: 108n })
  })

  it("leaves a vacancy for the longer of two reasons: it has stepped down itself, and another is preferred", () => {
    for (const [yieldsUntil, until] of [[101n, 103n], [105n, 105n]] as const) {
      assert.deepStrictEqual(act(view(vacant(other)), 100n, { ...Protocol.blank, yieldsUntil }).step, {
        _tag: "Follow",
        until
      })
    }
  })

  it("leaves a vacancy to others after it has stepped down itself", () => {
    const yielding = { ...Protocol.blank, yieldsUntil: 107n }
    assert.deepStrictEqual(act(view(vacant()), 100n, yielding).step, { _tag: "Follow", until: 107n })
    assert.deepInclude(act(view(vacant()), 107n, yielding).step, { _tag: "Claim" })
  })

  it("leaves a vacancy of its own resignation, for which an operator has asked, to others for a heartbeat, however late that came", () => {
    const led = { ...Protocol.blank, led: 1n, yieldsUntil: 90n }
    const stepped = view(vacant(), { tenure: { term: 1n, reason: "stepped-down" } })
    const first = act(stepped, 100n, led)
    assert.deepStrictEqual(first.step, { _tag: "Follow", until: 103n })
    assert.deepInclude(act(stepped, 103n, first.memory).step, { _tag: "Claim", cause: "vacant" })
    assert.deepInclude(act(stepped, 100n, { ...led, led: 0n }).step, { _tag: "Claim" })
    const resigned = view(vacant(), { tenure: { term: 1n, reason: "resigned" } })
    assert.deepInclude(act(resigned, 100n, led).step, { _tag: "Claim" })
  })

  it("leaves whoever leads unchallenged after it has stepped down itself, but takes a lapsed lease at once", () => {
    const yielding = { ...Protocol.blank, yieldsUntil: 107n }
    const first = act(view(held(other, 4)), 100n, yielding)
    assert.deepStrictEqual(first.step, { _tag: "Follow", until: 107n })
    assert.deepInclude(act(view(held(other, 4)), 107n, first.memory).step, { _tag: "Challenge" })
    const longer = act(view(held(other, 4)), 100n, { ...Protocol.blank, yieldsUntil: 120n })
    assert.deepStrictEqual(longer.step, { _tag: "Follow", until: 110n })
    assert.deepInclude(act(view(held(other, 4)), 110n, longer.memory).step, { _tag: "Claim", cause: "lapsed" })
  })

  it("claims as a standby at once what an operator has asked the owner for, and nothing else", () => {
    const standby = { ...me, isStandby: true }
    const stepped = (term: bigint, reason: "stepped-down" | "resigned" = "stepped-down") =>
      view(vacant(), { tenure: { term, reason } })
    assert.deepInclude(act(stepped(1n), 100n, Protocol.blank, standby).step, { _tag: "Claim", cause: "vacant" })
    for (const seen of [stepped(1n, "resigned"), stepped(0n), view(vacant())]) {
      assert.deepStrictEqual(act(seen, 100n, Protocol.blank, standby).step, { _tag: "Follow", until: 110n })
    }
    const asked = { ...Protocol.blank, yieldsUntil: 107n }
    assert.deepStrictEqual(act(stepped(1n), 100n, asked, standby).step, { _tag: "Follow", until: 107n })
  })

  it("leaves each vacancy to others for a lease as a standby, but takes a lapsed lease at once", () => {
    const standby = { ...me, isStandby: true }
    const first = act(view(vacant()), 100n, Protocol.blank, standby)
    assert.deepStrictEqual(first.step, { _tag: "Follow", until: 110n })
    assert.deepInclude(act(view(vacant()), 110n, first.memory, standby).step, { _tag: "Claim" })
    assert.deepInclude(act(view(vacant()), 109n, first.memory).step, { _tag: "Claim" })
    assert.deepStrictEqual(act(view(vacant(other)), 100n, Protocol.blank, standby).step, first.step)
    assert.deepInclude(act(view(vacant(me)), 100n, Protocol.blank, standby).step, { _tag: "Claim" })
    const followed = act(view(held(other)), 100n, Protocol.blank, standby)
    assert.deepInclude(act(view(held(other)), 110n, followed.memory, standby).step, { _tag: "Claim" })
  })

  it("claims at once, and ends as died, the tenure of a process that has ended, whatever the lease, also as a standby", () => {
    const claim = { term: 5n, ends: { term: 1n, reason: "died" } } as const
    for (const who of [me, { ...me, isStandby: true }, { ...me, priority: 0 }]) {
      const first = act(view(held(other)), 100n, Protocol.blank, who, true)
      assert.deepInclude(first.step, { _tag: "Claim", cause: "died", claim })
      assert.deepInclude(act(view(held(other)), 110n, first.memory, who, true).step, { cause: "died", claim })
    }
    const request = { term: 1n, challenger: undefined, priority: 0 }
    assert.deepInclude(act(view(held(other), { challenge: request }), 100n, undefined, me, true).step, { claim })
  })

  it("leaves the tenure of a process that has ended alone where it may not lead itself", () => {
    const others = { priority: 5, lastHeartbeat: 0n, registration: other.registration }
    const seen = (changes: Partial<Protocol.View>) => act(view(held(other), changes), 100n, undefined, me, true).step
    assert.deepStrictEqual(seen({ enabled: false }), { _tag: "Follow", until: undefined })
    assert.deepStrictEqual(seen({ candidate: undefined }), { _tag: "Register" })
    assert.deepStrictEqual(seen({ candidate: others }), { _tag: "Superseded" })
  })

  it("challenges a leader of lower priority, once, and not where that is not allowed", () => {
    const { step } = act(view(held(other, 4)), 100n)
    assert.deepInclude(step, {
      _tag: "Challenge",
      challenge: { term: 1n, challenger: identity("me", 1), priority: 5 }
    })
    const standing = { term: 1n, challenger: other, priority: 5 }
    assert.deepInclude(act(view(held(other, 4), { challenge: standing }), 100n).step, { _tag: "Follow" })
    const weaker = { term: 1n, challenger: other, priority: 4 }
    assert.deepInclude(act(view(held(other, 3), { challenge: weaker }), 100n).step, { _tag: "Challenge" })
    const stale = { term: 0n, challenger: other, priority: 9 }
    assert.deepInclude(act(view(held(other, 4), { challenge: stale }), 100n).step, { _tag: "Challenge" })
    assert.deepInclude(act(view(held(other, 4), { allowPreemption: false }), 100n).step, { _tag: "Follow" })
    assert.deepInclude(act(view(held(other, 5)), 100n).step, { _tag: "Follow" })
  })

  it("ends a tenure of its own from before, in a term of its own", () => {
    assert.deepInclude(act(view(held(me)), 100n).step, {
      _tag: "Claim",
      cause: "own",
      claim: { term: 5n, ends: { term: 1n, reason: "expired" } }
    })
  })

  it("resigns from a tenure of its own for which a challenge asks, whether it was appointed to it or not, and does not claim it anew", () => {
    const request = { term: 1n, challenger: undefined, priority: 0 }
    const appointed: LeaderRecord = { ...held(me), appointedBy: other } as LeaderRecord
    for (const challenge of [request, { term: 1n, challenger: other, priority: 6 }]) {
      for (const leader of [held(me), appointed]) {
        const asked = view(leader, { challenge, lease: { ballot: 1n, duration: 3n, expiry: 0n } })
        const first = act(asked, 100n, Protocol.blank, { ...me, isAppointable: true })
        assert.deepStrictEqual(first.step, { _tag: "Resign" })
        assert.deepStrictEqual(act(asked, 110n, first.memory).step, { _tag: "Resign" })
      }
      assert.notDeepInclude(act(view(held(me), { challenge, enabled: false }), 100n).step, { _tag: "Resign" })
      assert.notDeepInclude(act(view(held(identity("me", 3)), { challenge }), 100n).step, { _tag: "Resign" })
    }
    const low = view(held(me), { challenge: { term: 1n, challenger: other, priority: 5 } })
    assert.deepInclude(act(low, 100n).step, { _tag: "Claim", cause: "own" })
    const ofAnotherTerm = view(held(me), { challenge: { ...request, term: 0n } })
    assert.deepInclude(act(ofAnotherTerm, 100n).step, { _tag: "Claim", cause: "own" })
  })

  it("registers again when its record is gone, gives up when it is another's, and rests while disabled", () => {
    assert.deepStrictEqual(act(view(vacant(), { candidate: undefined }), 0n).step, { _tag: "Register" })
    const others = { priority: 5, lastHeartbeat: 0n, registration: other.registration }
    assert.deepStrictEqual(act(view(vacant(), { candidate: others }), 0n).step, { _tag: "Superseded" })
    assert.deepStrictEqual(act(view(vacant(), { enabled: false }), 0n).step, { _tag: "Follow", until: undefined })
  })

  it("that was superseded registers when the other's record is gone, or has not changed for the candidate timeout", () => {
    const timeout = 15n
    const beat = (lastHeartbeat: bigint) => view(held(other), { candidate: { ...other, priority: 5, lastHeartbeat } })
    /** What it does at each instant, having been told at 100 that it is superseded. */
    const acts = (looks: ReadonlyArray<readonly [bigint, Protocol.View]>) => {
      let memory: Protocol.Memory = {
        ...Protocol.blank,
        supersededBy: Protocol.observeOther(undefined, beat(0n), 100n)
      }
      return looks.map(([now, seen]) => {
        memory = Protocol.remember(memory, seen, now)
        return Protocol.awaitId(memory.supersededBy!, seen, now, timeout)
      })
    }
    const follow = (until: bigint) => ({ _tag: "Follow", until }) as const
    const register = { _tag: "Register" } as const
    assert.deepStrictEqual(acts([[114n, beat(0n)], [115n, beat(0n)]]), [follow(115n), register])
    assert.deepStrictEqual(acts([[114n, beat(1n)], [128n, beat(1n)], [129n, beat(1n)]]), [
      follow(129n),
      follow(129n),
      register
    ])
    assert.deepStrictEqual(acts([[101n, view(vacant(), { candidate: undefined })]]), [register])
    // Nobody beats in a disabled election.
    const disabled = { ...beat(0n), enabled: false }
    assert.deepStrictEqual(acts([[120n, disabled], [121n, beat(0n)], [135n, beat(0n)]]), [
      follow(135n),
      follow(135n),
      register
    ])
    // Another that has taken the id meanwhile is not registered over.
    const [before, after] = [beat(0n), beat(1n)].map(({ candidate }) => candidate)
    const seen = Protocol.observeOther(undefined, beat(0n), 100n)!
    // Nor is one that has registered in the same instant of its own wall clock.
    const third = { ...before!, registration: identity("third", 3).registration }
    assert.deepStrictEqual([undefined, before, after, third].map((candidate) => Protocol.isFree(seen, candidate)), [
      true,
      true,
      false,
      false
    ])
  })
})
