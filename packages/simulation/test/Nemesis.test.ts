import { assert, describe, it } from "@effect/vitest"
import { second } from "../src/EventScheduler.ts"
import { makeCommitKind } from "../src/internal/commitKind.ts"
import { only } from "../src/internal/elections.ts"
import type { Fault } from "../src/Scenario.ts"
import * as Simulation from "../src/Simulation.ts"
import { quiet } from "./history.ts"

/** A history with a race, and who lost it; the forged challenge obliges the leader to go. */
const run = (race: Partial<Extract<Fault, { readonly kind: "race" }>>) => {
  const meanwhile = [{ kind: "forge", at: 0, priority: 50 }] as const
  const fault = {
    kind: "race",
    at: 12,
    for: 10,
    commit: "renewal",
    until: "challenge",
    place: "before",
    meanwhile
  } as const
  const { events, record } = Simulation.run({ ...quiet, faults: [{ ...fault, ...race }] })
  const held = events.find(({ details, what }) => what === "fault" && details["kind"] === "late-commit")
  return {
    events,
    held,
    failed: events.filter(({ at, what }) => (what === "conflict" || what === "refused") && at >= (held?.at ?? 0)),
    commits: record
      .filter(({ at }) => at >= (held?.at ?? 0))
      .map((commit) => ({ ...commit, kind: makeCommitKind(only)(commit.mutations) }))
      .filter(({ by, kind }) => by === held?.who ? kind !== undefined : kind === "challenge")
  }
}

describe("a race", () => {
  it("keeps a commit back until another comes, and puts it before that: the other conflicts, and is made anew", () => {
    const { commits, failed, held } = run({ place: "before" })
    assert.strictEqual(failed[0]?.who, "operator")
    assert.deepStrictEqual(commits.slice(0, 3).map(({ by, kind }) => [by, kind]), [
      [held?.who, "renewal"],
      ["operator", "challenge"],
      [held?.who, "resignation"]
    ])
  })

  it.each(["behind", "later"] as const)("or puts it %s: the first conflicts", (place) => {
    const { commits, failed, held } = run({ place })
    assert.strictEqual(failed[0]?.who, held?.who)
    assert.deepStrictEqual(commits.slice(0, 2).map(({ by, kind }) => [by, kind]), [
      ["operator", "challenge"],
      [held?.who, "resignation"]
    ])
  })

  it("keeps nothing back for longer than a read version lives", () => {
    const { failed, held } = run({ until: "removal", meanwhile: [] })
    const [refused] = failed
    assert.deepStrictEqual([refused?.who, refused?.details["code"]], [held?.who, 1007])
    assert.closeTo(refused!.at - held!.at, 5 * second, second / 50)
  })

  it("strikes the sender of the commit, which continues where no other is awaited", () => {
    const crash = { kind: "crash", at: 0, target: "leader", restart: 1, keepsId: true } as const
    const { events, held } = run({ commit: "heartbeat", until: undefined, meanwhile: [crash] })
    assert.isUndefined(held)
    assert.deepStrictEqual(events.filter(({ what }) => what === "crashes").map(({ details }) => details["leading"]), [
      false
    ])
  })
})
