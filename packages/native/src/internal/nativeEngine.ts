/** The engine on an open database, and how it is closed. */
import { type Engine, FdbError } from "@effect-fdb/core"
import * as Effect from "effect/Effect"
import * as nativeTransaction from "./nativeTransaction.ts"
import type { Opened } from "./network.ts"

/** What an attempt on a closed database gives: every operation fails as if it had been cancelled. */
const closedTransaction: Engine.EngineTransaction = (() => {
  const fail = (phase: FdbError["phase"]) =>
    Effect.suspend(() => Effect.fail(new FdbError({ code: 1025, phase, detail: "the database has been closed" })))
  const read = fail("read")
  const nothing = (): void => {}
  return {
    readVersion: read,
    setReadVersion: () => read,
    get: () => read,
    getKey: () => read,
    getPage: () => read,
    mutate: nothing,
    addReadConflict: nothing,
    addWriteConflict: nothing,
    watch: () => read,
    requestVersionstamp: nothing,
    // Nothing has left the process, so this is no unknown commit result.
    commit: read,
    dispose: Effect.void
  }
})()

/** An engine that can be closed. */
export interface NativeEngine extends Engine.Engine {
  /** Cancels reads and watches, waits for them and for the commits under way, then closes the database. */
  readonly close: Effect.Effect<void>
}

/** Makes the engine of an open database. */
export const make = ({ custody, database }: Opened): NativeEngine => {
  let open = true
  return {
    name: "foundationdb",
    maxKeyLength: 10_000,
    begin: (options) =>
      open ? nativeTransaction.make(custody.hold(database.rawCreateTransaction()), options) : closedTransaction,
    close: Effect.suspend(() => {
      open = false
      return Effect.andThen(custody.drain, Effect.sync(() => database.close()))
    })
  }
}
