import { assert, describe, it } from "@effect/vitest"
import * as Checkers from "../src/Checkers.ts"
import * as History from "../src/History.ts"
import * as Profile from "../src/Profile.ts"
import * as Simulation from "../src/Simulation.ts"

describe("a seed is one history", () => {
  for (const profile of Profile.names) {
    it(`the same bytes twice, and no guarantee is violated in it: ${profile}, ${Profile.descriptions[profile]}`, () => {
      const run = () => Simulation.run(Profile.generate(profile, 7, { processes: 4, duration: 90 }))
      const history = run()
      assert.isTrue(history.events.some(({ what }) => what === "elected"))
      assert.deepStrictEqual(Checkers.check(history), [])
      assert.strictEqual(History.toText(run()), History.toText(history))
    })
  }

  it("another seed gives another", () => {
    const run = (seed: number) => History.toText(Simulation.run(Profile.generate("calm", seed, { duration: 60 })))
    assert.notStrictEqual(run(1), run(2))
  })
})

describe("no guarantee is violated", () => {
  it.each(
    [
      { profile: "pauses", seed: 38, duration: 240, was: "a thawed leader's work took another step" },
      { profile: "clocks", seed: 32, duration: 240, was: "so did that of one whose clock had jumped" },
      { profile: "clocks", seed: 802, duration: 180, was: "the guardTimeout of a suspended host was taken to run out" },
      { profile: "operators", seed: 669, duration: 240, was: "garbage was put back in the place of garbage" },
      {
        profile: "operators",
        seed: 895,
        duration: 240,
        was: "a vacancy that was spoiled and repaired was taken for a new one"
      },
      { profile: "operators", seed: 992, duration: 180, was: "that a long history is trimmed was no transition" },
      { profile: "late", seed: 70, duration: 180, was: "a vacancy was left for long to those who had just resigned" },
      {
        profile: "calm",
        seed: 14,
        duration: 240,
        was: "an appointed candidate that was challenged let its lease lapse"
      },
      {
        profile: "late",
        seed: 30247,
        duration: 120,
        was: "a pause after stepping down ended before a late resignation"
      },
      { profile: "slots", seed: 30203, duration: 120, was: "a slot was to be held that no process could lead" },
      { profile: "changes", seed: 11, duration: 600, was: "a forked fiber went on beside the next leader" }
    ] as const
  )("where one was before: $was", ({ duration, profile, seed }) => {
    assert.deepStrictEqual(Checkers.check(Simulation.run(Profile.generate(profile, seed, { duration }))), [])
  })

  /** Every process works all the time, and ends at once. */
  const work = { gap: 0.5, guarded: 0.2, external: 0.2, finalizer: 0, guardTimeout: 0.8 }

  it("where one was before: the appointed believed in itself though its wall clock had been set back, and then its host suspended", () => {
    const history = Simulation.run({
      seed: 1,
      profile: "clocks",
      duration: 120,
      quietAt: 70,
      config: { lease: 20, heartbeat: 8, candidateTimeout: 30, preemption: true },
      processes: [3, 3, 0].map((priority, index) => {
        return { id: `p${index + 1}`, priority, starts: index, drift: 0, wallOffset: 0, work }
      }),
      faults: [
        { kind: "jump", at: 37.5, target: 1, by: -60 },
        { kind: "suspend", at: 42.4, for: 6.3, target: 1 },
        { kind: "resign", at: 42.401 },
        { kind: "partition", at: 48.701, for: 5, targets: [1], cut: "requests" }
      ]
    })
    assert.deepStrictEqual(Checkers.check(history), [])
  })
})
