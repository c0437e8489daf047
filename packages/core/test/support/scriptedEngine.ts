/** An engine that stores nothing and does in each attempt what it is told to. */
import { Deferred, Effect } from "effect"
import type { AttemptOptions, Committed, Engine, EngineWatch } from "../../src/Engine.ts"
import * as FdbError from "../../src/FdbError.ts"
import type { Mutation } from "../../src/Mutation.ts"

/** What an attempt does; it succeeds where nothing is said. */
export interface Script {
  readonly read?: Effect.Effect<Uint8Array | undefined, FdbError.FdbError>
  readonly commit?: Effect.Effect<Committed, FdbError.FdbError>
}

/** What has become of an attempt. */
export interface Attempted {
  readonly options: AttemptOptions
  readonly mutations: Array<Mutation>
  commits: number
  disposals: number
  watchesCancelled: number
}

export const committed: Committed = { version: 7n, versionstamp: undefined }

/** The commit fails with a code. */
export const refused = (code: number): Script => ({ commit: Effect.fail(FdbError.make(code, "commit")) })

/** Reads fail with a code. */
export const unread = (code: number): Script => ({ read: Effect.fail(FdbError.make(code, "read")) })

/** The last script counts for all further attempts. */
export const make = (...scripts: ReadonlyArray<Script>) => {
  const attempts: Array<Attempted> = []
  const engine: Engine = {
    name: "scripted",
    maxKeyLength: 10_000,
    begin: (options) => {
      const script = scripts[Math.min(attempts.length, scripts.length - 1)] ?? {}
      const attempt: Attempted = { options, mutations: [], commits: 0, disposals: 0, watchesCancelled: 0 }
      attempts.push(attempt)
      const read = script.read ?? Effect.undefined
      const watch = Effect.sync((): EngineWatch => {
        const settled = Deferred.makeUnsafe<void, FdbError.FdbError>()
        return {
          fired: Deferred.await(settled),
          cancel: Effect.suspend(() => {
            attempt.watchesCancelled++
            return Deferred.fail(settled, FdbError.make(1025, "watch"))
          })
        }
      })
      return {
        readVersion: Effect.succeed(1n),
        setReadVersion: () => Effect.void,
        get: () => read,
        getAll: (keys) => Effect.forEach(keys, () => read),
        getKey: () => Effect.succeed(new Uint8Array(0)),
        getPage: () => Effect.succeed({ values: [], more: false }),
        mutate: (mutation) => void attempt.mutations.push(mutation),
        addReadConflict: () => {},
        addWriteConflict: () => {},
        watch: () => watch,
        requestVersionstamp: () => {},
        commit: Effect.suspend(() => {
          attempt.commits++
          return script.commit ?? Effect.succeed(committed)
        }),
        dispose: Effect.sync(() => {
          attempt.disposals++
        })
      }
    }
  }
  return { engine, attempts }
}
