/**
 * What FoundationDB's client does before it asks anybody: a key that the transaction has read or set before is answered
 * from its own memory. Without it a protocol that reads a key twice would be charged twice.
 */
import { Bytes, type Engine } from "@effect-fdb/core"
import * as Effect from "effect/Effect"
import { decorate } from "./decorate.ts"

interface Known {
  readonly value: Uint8Array | undefined
  /** Whether a serializable read is to be answered too, its conflict being known. */
  readonly serializable: boolean
}

export const make = (engine: Engine.Engine): Engine.Engine =>
  decorate(engine, (inner) => {
    const known = new Map<string, Known>()
    return {
      get: (key, snapshot) =>
        Effect.suspend(() => {
          const name = Bytes.toHex(key)
          const found = known.get(name)
          if (found !== undefined && (snapshot || found.serializable)) return Effect.succeed(found.value)
          return Effect.tap(
            inner.get(key, snapshot),
            (value) => Effect.sync(() => void known.set(name, { value, serializable: !snapshot }))
          )
        }),
      mutate: (mutation) => {
        if (mutation._tag === "Set") known.set(Bytes.toHex(mutation.key), { value: mutation.value, serializable: true })
        else known.clear()
        inner.mutate(mutation)
      }
    }
  })
