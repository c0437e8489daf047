import { Versionstamp } from "@effect-fdb/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Protocol from "../../../src/internal/protocol/protocol.ts"
import type { Identity, LeaderRecord } from "../../../src/internal/protocol/records.ts"
import { mayChallenge, type Sight, SlotAdmission } from "../../../src/internal/slots/slotAdmission.ts"
import { choose } from "../../../src/internal/slots/slotOrder.ts"

const identity = (id: string): Identity => ({ id, registration: Versionstamp.make(new Uint8Array(10), 0) })
const me = identity("me")

const vacant: Sight = { _tag: "Vacant" }
const closed: Sight = { _tag: "Closed" }
const held = (priority: number): Sight => ({ _tag: "Held", priority })

describe("mayChallenge", () => {
  const cases: ReadonlyArray<readonly [string, ReadonlyArray<Sight | undefined>, ReadonlyArray<number>]> = [
    ["the lowest of the holders", [held(3), held(1), held(2)], [1]],
    ["the first of several that are the lowest", [held(2), held(1), held(1)], [1]],
    ["nobody before all slots were seen", [held(1), undefined], []],
    ["nobody where a slot is vacant", [held(1), vacant, held(2)], []],
    ["whom it would where a slot is closed", [closed, held(2), held(1)], [2]],
    ["nobody where all are closed", [closed, closed], []],
    ["the only holder", [held(-5)], [0]]
  ]
  for (const [name, sights, expected] of cases) {
    it(`is true of ${name}`, () => {
      assert.deepStrictEqual(sights.flatMap((_, slot) => mayChallenge(sights, slot) ? [slot] : []), expected)
    })
  }
})

describe("choose", () => {
  it("gives each vacant slot to one before any slot to a second", () => {
    assert.deepStrictEqual(
      [0, 1, 2, 3, 4, 7].map((before) => choose([0, 2], before)),
      [[0, 0], [2, 0], [0, 1], [2, 1], [0, 2], [2, 2]].map(([slot, rank]) => ({ slot: slot!, rank: rank! }))
    )
    assert.isUndefined(choose([], 3))
  })
})

describe("an admission", () => {
  const view = (leader: LeaderRecord, changes: Partial<Protocol.View> = {}): Protocol.View => ({
    enabled: true,
    allowPreemption: true,
    leaseDuration: 10n,
    leader,
    lease: { ballot: 1n, duration: 10n, expiry: 0n },
    challenge: undefined,
    candidate: undefined,
    ...changes
  })
  const nobody = view({ _tag: "Vacant", term: 1n, successor: undefined })
  const somebody = (priority: number) => view({ _tag: "Held", term: 1n, priority, ...identity("other") })
  const claim: Protocol.Step = { _tag: "Claim", claim: { term: 2n, ends: undefined }, cause: "vacant" }
  const challenge: Protocol.Step = { _tag: "Challenge", challenge: { term: 1n, challenger: me, priority: 5 } }
  const follow: Protocol.Step = { _tag: "Follow", until: undefined }

  const make = (count: number) => {
    const woken: Array<number> = []
    const admission = new SlotAdmission(Array.from({ length: count }, (_, slot) => ({
      lifecycle: { wake: Effect.sync(() => void woken.push(slot)) },
      registration: { identity: me }
    })))
    const admit = (slot: number, step: Protocol.Step, seen: Protocol.View, memory = Protocol.blank) =>
      admission.of(slot).admit(step, seen, memory)
    const followed = (slot: number, step: Protocol.Step, seen: Protocol.View) =>
      Effect.runSync(admission.of(slot).followed(step, seen))
    return { admission, admit, followed, woken }
  }

  it("is that of one slot at a time; the others look again when a look has claimed nothing there", () => {
    const { admit, followed, woken } = make(3)
    assert.deepStrictEqual(admit(1, claim, nobody), claim)
    assert.deepStrictEqual(admit(0, claim, nobody), follow)
    // Another attempt of the same look, whose outcome may not be known.
    assert.deepStrictEqual(admit(1, claim, nobody), claim)
    followed(0, follow, nobody)
    assert.deepStrictEqual(woken, [])
    assert.deepStrictEqual(admit(1, follow, somebody(0)), follow)
    followed(1, follow, somebody(0))
    assert.deepStrictEqual(woken, [0])
    assert.deepStrictEqual(admit(0, claim, nobody), claim)
  })

  it("of a challenge waits for a look at all slots, and wakes the slot that is to be challenged", () => {
    const { admit, followed, woken } = make(2)
    assert.deepStrictEqual(admit(0, challenge, somebody(1)), follow)
    followed(0, follow, somebody(1))
    assert.deepStrictEqual(admit(1, challenge, somebody(2)), follow)
    followed(1, follow, somebody(2))
    assert.deepStrictEqual(woken, [0])
    assert.deepStrictEqual(admit(0, challenge, somebody(1)), challenge)
  })

  it("goes on after a challenge while the holder has not answered, and while the vacancy is its own before others", () => {
    const { admit, followed, woken } = make(2)
    admit(1, follow, somebody(9))
    assert.deepStrictEqual(admit(0, challenge, somebody(1)), challenge)
    followed(0, challenge, somebody(1))
    assert.deepStrictEqual(admit(1, claim, nobody), follow)
    const challenged = view({ _tag: "Held", term: 1n, priority: 1, ...identity("other") }, {
      challenge: { term: 1n, challenger: me, priority: 5 }
    })
    followed(0, follow, challenged)
    followed(0, follow, view({ _tag: "Vacant", term: 1n, successor: me }))
    assert.deepStrictEqual(woken, [])
    // Somebody else has got it.
    admit(0, follow, somebody(9))
    followed(0, follow, somebody(9))
    assert.deepStrictEqual(woken, [1])
  })

  it("that is refused to a challenge looks again when the lease lapses", () => {
    const { admit } = make(2)
    const seen = somebody(1)
    const memory = Protocol.remember(Protocol.blank, seen, 100n)
    assert.deepStrictEqual(admit(1, challenge, seen, memory), { _tag: "Follow", until: 110n })
    assert.deepStrictEqual(admit(1, claim, seen, memory), claim)
  })
})
