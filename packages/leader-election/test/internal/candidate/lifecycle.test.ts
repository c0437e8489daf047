import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { format, Lifecycle, type Signal, type State, transition } from "../../../src/internal/candidate/lifecycle.ts"

const signals: ReadonlyArray<Signal> = [
  { _tag: "Campaign" },
  { _tag: "Claim" },
  { _tag: "Elected", term: 7n },
  { _tag: "End" },
  { _tag: "Ended" },
  { _tag: "Close" }
]

const idle: State = { _tag: "Idle" }
const following: State = { _tag: "Following", claim: "none", closing: false }
const claiming: State = { ...following, claim: "maybe-committed" }
const leading: State = { _tag: "Leading", term: 7n, closing: false }
const endingCampaign: State = { _tag: "Ending", of: "Following", closing: false }
const endingTenure: State = { _tag: "Ending", of: "Leading", closing: false }
const closed: State = { _tag: "Closed" }

/** Every state, and where each signal leads from there; what is not listed is refused. */
const table: ReadonlyArray<readonly [State, { readonly [tag in Signal["_tag"]]?: State }]> = [
  [idle, { Campaign: following, Close: closed }],
  [following, { Claim: claiming, End: endingCampaign, Close: { ...following, closing: true } }],
  [claiming, { Claim: claiming, Elected: leading, End: endingCampaign, Close: { ...claiming, closing: true } }],
  [leading, { End: endingTenure, Close: { ...leading, closing: true } }],
  [endingCampaign, { Ended: idle, Close: { ...endingCampaign, closing: true } }],
  [endingTenure, { Ended: idle, Close: { ...endingTenure, closing: true } }],
  [closed, { Close: closed }]
]

describe("the lifecycle of a candidacy", () => {
  for (const [state, next] of table) {
    for (const signal of signals) {
      const expected = next[signal._tag]
      const what = expected === undefined ? "is refused" : `leads to ${format(expected)}`
      it(`${signal._tag} in ${format(state)} ${what}`, () => {
        assert.deepStrictEqual(transition(state, signal), expected)
      })
    }
  }

  it("goes the same way while it is closing, and ends closed instead of idle", () => {
    for (const [state, next] of table) {
      if (!("closing" in state)) continue
      for (const signal of signals) {
        const expected = next[signal._tag]
        const closing = expected === undefined
          ? undefined
          : expected._tag === "Idle"
          ? closed
          : { ...expected, closing: true }
        assert.deepStrictEqual(transition({ ...state, closing: true }, signal), closing)
      }
    }
  })

  it("tells what stands in the database: a claim of unknown outcome, and whether the candidate is to leave", () => {
    const lifecycle = new Lifecycle()
    assert.isTrue(lifecycle.campaign(Effect.void))
    assert.strictEqual(lifecycle.role, "Following")
    assert.isFalse(lifecycle.mayHaveClaimed)
    lifecycle.claim()
    assert.isTrue(lifecycle.mayHaveClaimed)
    lifecycle.elected(7n, Effect.void)
    assert.isFalse(lifecycle.mayHaveClaimed)
    assert.strictEqual(lifecycle.role, "Leading")
    assert.isFalse(lifecycle.close())
    lifecycle.end()
    assert.strictEqual(lifecycle.role, "Leading")
    assert.isTrue(lifecycle.ended())
    assert.strictEqual(lifecycle.role, "Idle")
    assert.isFalse(lifecycle.campaign(Effect.void))
  })

  it.effect("wakes and asks to step down what goes on, and nothing afterwards", () =>
    Effect.gen(function*() {
      const reached: Array<string> = []
      const note = (what: string) => Effect.sync(() => void reached.push(what))
      const lifecycle = new Lifecycle()
      lifecycle.campaign(note("follower"))
      yield* lifecycle.wake
      yield* lifecycle.stepDown
      lifecycle.claim()
      lifecycle.elected(7n, note("tenure"))
      lifecycle.wokenBy(note("leader"))
      yield* lifecycle.stepDown
      yield* lifecycle.wake
      lifecycle.end()
      lifecycle.ended()
      yield* lifecycle.wake
      yield* lifecycle.stepDown
      assert.deepStrictEqual(reached, ["follower", "tenure", "leader"])
    }))
})
