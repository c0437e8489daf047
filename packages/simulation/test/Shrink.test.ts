import { assert, describe, it } from "@effect/vitest"
import * as Profile from "../src/Profile.ts"
import type { Scenario } from "../src/Scenario.ts"
import * as Shrink from "../src/Shrink.ts"
import * as Simulation from "../src/Simulation.ts"
import { quiet } from "./history.ts"

const big = Profile.generate("everything", 5, { processes: 5, duration: 300 })

describe("shrinking", () => {
  it("leaves what is needed: one fault, one process, and the fault of a storm that matters", () => {
    const fails = ({ faults, processes }: Scenario) =>
      processes.some(({ id }) => id === "p4") &&
      faults.some((fault) => fault.kind === "storm" && (fault.rates.most ?? 0) > 0)
    assert.isAbove(big.faults.length, 20)
    const smallest = Shrink.shrink(big, fails, 280)
    assert.deepStrictEqual(
      smallest.processes.map(({ id, drift, priority, wallOffset }) => ({ id, drift, priority, wallOffset })),
      [
        { id: "p4", drift: 0, priority: 0, wallOffset: 0 }
      ]
    )
    const [fault, ...others] = smallest.faults
    assert.deepStrictEqual(others, [])
    assert.isTrue(fault?.kind === "storm" && Object.keys(fault.rates).join() === "most")
  })

  it("ends the history soon after the violation", () => {
    const smallest = Shrink.shrink(big, () => true, 90.5)
    assert.strictEqual(smallest.duration, 96)
    assert.isAtMost(smallest.quietAt, 96)
  })

  it("gives up after some hundreds of attempts", () => {
    let attempts = 0
    const faults = Array.from({ length: 3000 }, (_, at) => ({ kind: "resign", at } as const))
    Shrink.shrink({ ...big, faults }, () => {
      attempts++
      return false
    }, 280)
    assert.isAtMost(attempts, 400)
  })

  it("gives a scenario that fails, or the one that it was given", () => {
    const crashes = (scenario: Scenario) => Simulation.run(scenario).events.some(({ what }) => what === "crashes")
    const scenario = Profile.generate("pauses", 1, { processes: 3, duration: 90 })
    assert.isTrue(crashes(scenario))
    const smallest = Shrink.shrink(scenario, crashes, 90)
    assert.isTrue(crashes(smallest))
    assert.deepStrictEqual(smallest.faults.map(({ kind }) => kind), ["crash"])
    assert.strictEqual(Shrink.shrink(quiet, () => false, 30), quiet)
  })
})

describe("a scenario in print", () => {
  it("is the scenario", () => {
    for (const profile of Profile.names) {
      const scenario = Profile.generate(profile, 3, { processes: 3, duration: 120 })
      const read = new Function(`return ${Shrink.toSource(scenario)}`)() as Scenario
      assert.deepStrictEqual(read, JSON.parse(JSON.stringify(scenario)) as Scenario)
    }
  })
})
