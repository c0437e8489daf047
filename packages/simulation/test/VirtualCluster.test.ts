import { Leadership } from "@effect-fdb/leader-election"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import * as VirtualCluster from "../src/VirtualCluster.ts"

const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8")

describe("your own effect in a virtual cluster", () => {
  it.effect(
    "the example of the documentation holds: behind a fence, terms never go back",
    () =>
      VirtualCluster.check({ seeds: 4, profile: "pauses" }, () => {
        const given: Array<bigint> = []
        return {
          work: ({ term }) =>
            Effect.forever(Effect.andThen(Effect.sleep("1 second"), Effect.sync(() => given.push(term)))),
          invariant: () => given.every((term, index) => index === 0 || given[index - 1]! <= term)
        }
      })
  )

  it.effect("a work may take its leadership as a service", () => {
    const works = new Set<bigint>()
    return VirtualCluster.check({ seeds: 1, profile: "pauses" }, () => ({
      work: ({ term }) =>
        Effect.flatMap(Leadership, (leadership) => {
          if (leadership.term === term) works.add(term)
          return Effect.never
        }),
      invariant: () => assert.isAbove(works.size, 0)
    }))
  })

  it("the example of the documentation is that of this test", () => {
    const plain = (text: string) => text.replaceAll(/\s+/g, "").replace(/seeds:\d+/, "seeds")
    const [example] = /VirtualCluster\.check\([\s\S]*?\n  \}\)/.exec(read("docs/simulation.md")) ?? []
    assert.isDefined(example)
    assert.include(plain(read("packages/simulation/test/VirtualCluster.test.ts")), plain(example))
  })

  it.effect("what does not hold is found, made small, and can be run again", () =>
    Effect.gen(function*() {
      const system = () => {
        const leaders = new Set<string>()
        return {
          work: (_: unknown, { name }: { readonly name: string }) =>
            Effect.andThen(Effect.sync(() => leaders.add(name)), Effect.never),
          invariant: () => assert.isAtMost(leaders.size, 1, "more than one process has led")
        }
      }
      const broken = yield* Effect.flip(VirtualCluster.check({ profile: "pauses" }, system))
      assert.include(broken.problem, "more than one process has led")
      assert.isAtMost(broken.scenario.faults.length, 2)
      assert.include(broken.message, "VirtualCluster.replay")
      assert.strictEqual(broken.story.filter((line) => line.includes(" elected ")).length >= 2, true, broken.message)
      const history = yield* VirtualCluster.run(broken.scenario, system)
      assert.strictEqual(history.endedAt, broken.scenario.duration * 1e9)
      const again = yield* Effect.flip(VirtualCluster.replay(broken.scenario, system))
      assert.strictEqual(again.problem, broken.problem)
    }))
})
