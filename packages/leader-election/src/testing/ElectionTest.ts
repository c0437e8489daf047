/**
 * `it.election`: tests of services that need leadership, with `@effect/vitest`.
 *
 * **Example**
 *
 * ```ts
 * import { it } from "@effect-fdb/leader-election/testing/ElectionTest"
 * import { assert } from "@effect/vitest"
 * import { Effect } from "effect"
 * import { TestClock } from "effect/testing"
 *
 * it.election("another leads once the leader's lease has run out", (cluster) =>
 *   Effect.gen(function*() {
 *     const { candidates, terms, working } = yield* cluster(3, () => Effect.never)
 *     yield* candidates[0]!.crash
 *     yield* TestClock.adjust("15 seconds")
 *     assert.lengthOf(yield* working, 1)
 *     assert.lengthOf(yield* terms, 2)
 *   }))
 * ```
 */
import { makeMethods, test, type TestOptions, type Vitest } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as TestCluster from "./TestCluster.ts"

/**
 * A test that gets a function which makes clusters. It runs under the test clock, as `it.effect` does.
 *
 * @since 0.1.0
 * @category models
 */
export interface ElectionTest {
  <A, E>(
    name: string,
    self: (cluster: typeof TestCluster.make) => Effect.Effect<A, E, Scope.Scope>,
    timeout?: number | TestOptions
  ): void
}

/** Fails if two candidates of a cluster worked at the same time. */
const checked = <A, E, R>(self: (cluster: typeof TestCluster.make) => Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const made: Array<TestCluster.TestCluster> = []
    const result = yield* self((size, work, options) =>
      Effect.tap(TestCluster.make(size, work, options), (cluster) => Effect.sync(() => made.push(cluster)))
    )
    for (const { overlaps } of made) {
      const [overlap] = yield* overlaps
      if (overlap !== undefined) return yield* Effect.die(new Error(overlap))
    }
    return result
  })

const through = (test: Vitest.Test<Scope.Scope>): ElectionTest => (name, self, timeout) =>
  test(name, () => checked(self), timeout)

/** A separate test API: `it` of `@effect/vitest` stays unchanged. */
const methods = makeMethods(test.extend({}))

/**
 * `it` of `@effect/vitest` with `it.election`. Its tests also fail if two candidates of a cluster worked at the same time.
 *
 * **Example**
 *
 * ```ts
 * import { it } from "@effect-fdb/leader-election/testing/ElectionTest"
 * import { assert } from "@effect/vitest"
 * import { Effect } from "effect"
 *
 * it.election("one of three candidates leads", (cluster) =>
 *   Effect.gen(function*() {
 *     const { working } = yield* cluster(3, () => Effect.never)
 *     assert.lengthOf(yield* working, 1)
 *   }))
 * ```
 *
 * @since 0.1.0
 * @category testing
 */
export const it: Vitest.Methods & {
  readonly election: ElectionTest & {
    readonly skip: ElectionTest
    readonly only: ElectionTest
    readonly fails: ElectionTest
  }
} = Object.assign(methods, {
  election: Object.assign(through(methods.effect), {
    skip: through(methods.effect.skip),
    only: through(methods.effect.only),
    fails: through(methods.effect.fails)
  })
})
