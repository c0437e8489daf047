/** The engine on an open database. */
import { type Engine, FdbError } from "@effect-fdb/core"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { isBindingError } from "./binding.ts"
import * as nativeTransaction from "./nativeTransaction.ts"
import type { Opened } from "./network.ts"

/** How long `close` waits for the commits under way. */
const closeTimeout = Duration.seconds(30)

/** An attempt of which every operation fails. Nothing leaves the process, so its commit has a known outcome. */
const refusedTransaction = (code: number, detail: string): Engine.EngineTransaction => {
  const refuse = (phase: FdbError["phase"]) => Effect.suspend(() => Effect.fail(new FdbError({ code, phase, detail })))
  const read = refuse("read")
  const nothing = (): void => {}
  return {
    readVersion: read,
    setReadVersion: () => read,
    get: () => read,
    getAll: () => read,
    getKey: () => read,
    getPage: () => read,
    mutate: nothing,
    addReadConflict: nothing,
    addWriteConflict: nothing,
    watch: () => read,
    requestVersionstamp: nothing,
    commit: refuse("write"),
    dispose: Effect.void
  }
}

const closed = refusedTransaction(1025, "the database was closed")

/** An engine that can be closed. */
export interface NativeEngine extends Engine.Engine {
  /**
   * Cancels reads and watches, waits for them and for the commits under way, then closes the database. After half a minute it
   * stops waiting and leaves the database open.
   */
  readonly close: Effect.Effect<void>
}

export const make = ({ registry, database }: Opened): NativeEngine => {
  let open = true
  return {
    name: "foundationdb",
    maxKeyLength: 10_000,
    begin: (options) => {
      if (!open) return closed
      const created = Result.try({ try: () => database.rawCreateTransaction(), catch: (cause) => cause })
      if (Result.isSuccess(created)) return nativeTransaction.make(registry.track(created.success), options)
      if (!isBindingError(created.failure)) throw created.failure
      return refusedTransaction(created.failure.code, "no transaction could be created")
    },
    close: Effect.suspend(() => {
      open = false
      return Effect.flatMap(registry.drain(closeTimeout), (lost) =>
        lost === 0
          ? Effect.sync(() => database.close())
          : Effect.logWarning(
            `FoundationDB's client has left ${lost} operations unfinished ${Duration.format(closeTimeout)} after the ` +
              "database was closed; the outcome of commits among them is unknown"
          ))
    })
  }
}
