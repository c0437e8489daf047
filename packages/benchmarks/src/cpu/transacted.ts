/** Only the renewal's transaction, through `Database.transact`, with a fiber for each election. */
import { Database, Transaction } from "@effect-fdb/core"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import { decodeBallot, encodeLease, type Leader, leaseKey, leaseMillis, names, pauseMillis } from "./load.ts"

const renew = (key: Uint8Array, version: bigint | undefined) =>
  Effect.gen(function*() {
    const tx = yield* Transaction
    if (version !== undefined) yield* tx.setReadVersion(version)
    const ballot = decodeBallot(yield* tx.get(key))
    yield* tx.set(key, encodeLease(ballot + 1n, (yield* Clock.currentTimeMillis) + leaseMillis))
    return yield* tx.committedVersion
  })

export const transacted: Leader = ({ renewed, elections, engine }) => {
  const { transact } = Database.fromEngine(engine)
  return Effect.forEach(names(elections), (name) =>
    Effect.gen(function*() {
      const key = leaseKey(name)
      let version: bigint | undefined
      while (true) {
        yield* Effect.sleep(pauseMillis(yield* Random.next))
        version = yield* yield* transact(renew(key, version))
        renewed()
      }
    }).pipe(Effect.forkScoped), { discard: true })
}
