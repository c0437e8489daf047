/** How the terms of an election survive a lost, restored or other store: they only ever go up (1). */
import { Transaction } from "@effect-fdb/core"
import * as Effect from "effect/Effect"
import { ElectionConfig } from "../ElectionConfig.ts"
import { InvalidConfig, InvalidTerm } from "../ElectionError.ts"
import { ElectionExport } from "../ElectionExport.ts"
import { HistoryEntry } from "../HistoryEntry.ts"
import type { ElectionKeys } from "./storage/keys.ts"
import * as Reads from "./storage/reads.ts"
import * as Writes from "./storage/writes.ts"

/** See `LeaderElection.InitializeOptions`. */
export type InitializeOptions = ConstructorParameters<typeof ElectionConfig>[0] & {
  readonly termsFrom?: bigint | undefined
}

/** Creates the election where there is none, and lets terms begin from there in any case. */
export const initialize = (
  keys: ElectionKeys,
  base: ElectionConfig | undefined,
  given: ElectionConfig | InitializeOptions = {}
) =>
  Effect.suspend(() => {
    const { termsFrom, ...fields }: InitializeOptions = given
    const config = given instanceof ElectionConfig ? given : new ElectionConfig({ ...base, ...fields })
    const initialized = Writes.initialize(keys, config)
    return termsFrom === undefined
      ? initialized
      : Effect.tap(initialized, () =>
        Effect.catchTag(
          raise(keys, termsFrom === 0n ? 0n : termsFrom - 1n),
          "InvalidTerm",
          ({ problem }) => Effect.fail(new InvalidConfig({ field: "termsFrom", problem }))
        ))
  })

/** In an election that was initialised in this transaction. */
const raise = (keys: ElectionKeys, above: bigint) =>
  Effect.catchTag(Writes.raiseBallot(keys, above), "NotInitialized", Effect.die)

/** See `LeaderElection.export`. */
export const exportElection = (keys: ElectionKeys) =>
  Effect.gen(function*() {
    const tx = yield* Transaction
    const [config, lease] = yield* Reads.readAll(tx, [Reads.config(keys), Reads.lease(keys)])
    const history = yield* Reads.readHistory(tx.snapshot, keys, Reads.historyLength)
    return new ElectionExport({
      config,
      ballot: lease.ballot,
      history: history.map((tenure) => new HistoryEntry(tenure))
    })
  })

/** See `LeaderElection.import`. */
export const importElection = Effect.fnUntraced(function*(
  keys: ElectionKeys,
  { ballot, config, history }: ElectionExport
) {
  const beyond = history.find(({ term }) => term > ballot || term < 1n)
  if (beyond !== undefined) {
    return yield* new InvalidTerm({ problem: `${beyond.term} of the history is not from 1 to the ballot ${ballot}` })
  }
  const inForce = yield* Writes.initialize(keys, config)
  yield* Writes.importHistory(keys, history)
  yield* raise(keys, ballot)
  return inForce
})
