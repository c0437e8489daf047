/**
 * The tests that every engine must pass: FoundationDB's semantics as users of `Database` and `Transaction` see them.
 *
 * The reference is the behaviour of FoundationDB's client on a cluster. Its key selectors count a key that a `CompareAndClear` of the
 * same transaction has removed, against its documentation. The suite expects that only with `selectorsCountCleared`.
 *
 * An engine's package calls {@link suite} in a test file. Each test works under a random prefix of its own and clears it,
 * so the suite runs on a database that others use at the same time, a FoundationDB cluster too. It needs `@effect/vitest`.
 *
 * **Example**
 *
 * ```ts
 * import { MemoryDatabase } from "@effect-fdb/core"
 * import * as Conformance from "@effect-fdb/core/conformance/Conformance"
 *
 * Conformance.suite("MemoryDatabase", MemoryDatabase.layer)
 * ```
 */
import { layer } from "@effect/vitest"
import type * as Duration from "effect/Duration"
import type * as Layer from "effect/Layer"
import type { Database } from "../Database.ts"
import { atomics } from "../internal/conformance/atomics.ts"
import { conflicts } from "../internal/conformance/conflicts.ts"
import { declare, type Tests } from "../internal/conformance/harness.ts"
import { lifecycle } from "../internal/conformance/lifecycle.ts"
import { limits } from "../internal/conformance/limits.ts"
import { properties } from "../internal/conformance/properties.ts"
import { reads } from "../internal/conformance/reads.ts"
import { versions } from "../internal/conformance/versions.ts"
import { versionstamps } from "../internal/conformance/versionstamps.ts"
import { virtualTime } from "../internal/conformance/virtualTime.ts"
import { watches } from "../internal/conformance/watches.ts"
import { maxKeyLength } from "../internal/limits.ts"

/** The options of the suite. */
export interface Options {
  /** The engine's longest key in bytes; 10,000 unless set. */
  readonly maxKeyLength?: number | undefined
  /**
   * The engine takes its time from Effect's `Clock`, so the tests that need much time can run under a test clock. All other tests
   * run in real time.
   */
  readonly testClock?: boolean | undefined
  /** The number of random programs of each property test; 200 unless set. */
  readonly runs?: number | undefined
  /** The seed of the random programs; a new one for each run unless set. */
  readonly seed?: number | undefined
  /**
   * Key selectors count a key that a `CompareAndClear` of the same transaction has removed. FoundationDB's client does this,
   * against its documentation. The other engines do not.
   */
  readonly selectorsCountCleared?: boolean | undefined
  /** The maximum time to build the layer; ten seconds unless set. */
  readonly buildTimeout?: Duration.Input | undefined
}

const parts: ReadonlyArray<Tests> = [
  reads,
  conflicts,
  atomics,
  versionstamps,
  versions,
  watches,
  limits,
  lifecycle,
  properties
]

/** Declares the tests of an engine, under `name`. The layer is built once, and once more where the test clock is used. */
export const suite = <E>(name: string, database: Layer.Layer<Database, E>, options: Options = {}): void => {
  const settings = {
    maxKeyLength: options.maxKeyLength ?? maxKeyLength,
    runs: options.runs ?? 200,
    seed: options.seed,
    selectorsCountCleared: options.selectorsCountCleared ?? false
  }
  const timeout = options.buildTimeout ?? "10 seconds"
  layer(database, { excludeTestServices: true, timeout })(`${name} conforms`, (it) => {
    parts.forEach(declare(it, settings))
  })
  if (options.testClock === true) {
    layer(database, { timeout })(`${name} conforms in virtual time`, (it) => {
      // Versions must increase even while the clock stands still.
      ;[virtualTime, properties].forEach(declare(it, settings))
    })
  }
}
