/** Answers reads of keys that the transaction has read or set before without a round trip, as FoundationDB's client does. */
import { Bytes, type Engine } from "@effect-fdb/core"
import * as Effect from "effect/Effect"
import { decorate } from "./decorate.ts"

interface Known {
  readonly value: Uint8Array | undefined
  /** Its conflict is recorded, so it answers serializable reads, too. */
  readonly serializable: boolean
}

export const make = (engine: Engine.Engine): Engine.Engine =>
  decorate(engine, (inner) => {
    const known = new Map<string, Known>()
    const find = (key: Uint8Array, snapshot: boolean): Known | undefined => {
      const found = known.get(Bytes.toHex(key))
      return found !== undefined && (snapshot || found.serializable) ? found : undefined
    }
    const learn = (key: Uint8Array, value: Uint8Array | undefined, snapshot: boolean): void => {
      known.set(Bytes.toHex(key), { value, serializable: !snapshot })
    }
    return {
      get: (key, snapshot) =>
        Effect.suspend(() => {
          const found = find(key, snapshot)
          if (found !== undefined) return Effect.succeed(found.value)
          return Effect.tap(inner.get(key, snapshot), (value) => Effect.sync(() => learn(key, value, snapshot)))
        }),
      getAll: (keys, snapshot) =>
        Effect.suspend(() => {
          const asked = keys.filter((key) => find(key, snapshot) === undefined)
          const values = () => keys.map((key) => find(key, snapshot)?.value)
          return asked.length === 0 ? Effect.sync(values) : Effect.map(inner.getAll(asked, snapshot), (answers) => {
            asked.forEach((key, index) => learn(key, answers[index], snapshot))
            return values()
          })
        }),
      mutate: (mutation) => {
        if (mutation._tag === "Set") known.set(Bytes.toHex(mutation.key), { value: mutation.value, serializable: true })
        else known.clear()
        inner.mutate(mutation)
      }
    }
  })
