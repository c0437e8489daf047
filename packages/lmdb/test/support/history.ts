/** What the hostile processes have committed, replayed in commit order. */
import { Bytes, Database, KeyRange, Transaction } from "@effect-fdb/core"
import { Effect } from "effect"

/** What a transaction has written of itself. */
export interface Entry {
  readonly stamp: string
  readonly name: string
  readonly kind: string
  readonly reads: Readonly<Record<string, string | null>>
  readonly writes: Readonly<Record<string, string>>
}

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const prefix = Bytes.fromString("log/")

/**
 * Removes what the processes have recorded since, and the state that it has led to. It gets in nobody's way: what is recorded
 * later comes later in the order of keys as well.
 */
export const drain = Database.transact(Effect.gen(function*() {
  const tx = yield* Transaction
  const range = KeyRange.fromPrefix(prefix)
  const recorded = yield* tx.snapshot.getRange(range)
  const entries = recorded.map(({ key, value }): Entry => ({
    stamp: Bytes.toHex(key.subarray(prefix.length)),
    ...JSON.parse(text(value))
  }))
  const state = new Map<string, string>()
  for (const { key, value } of yield* tx.snapshot.getRange(KeyRange.all)) {
    if (!KeyRange.contains(range, key)) state.set(text(key), text(value))
  }
  const last = recorded.at(-1)
  if (last !== undefined) yield* tx.clearRange({ begin: range.begin, end: Bytes.concat(last.key, Uint8Array.of(0)) })
  return { entries, state }
}))

/** Runs the entries one after another; says where one has read what it cannot have read in this order. */
export const replay = (state: Map<string, string>, entries: ReadonlyArray<Entry>): ReadonlyArray<string> => {
  const wrong: Array<string> = []
  for (const { kind, name, reads, stamp, writes } of entries) {
    for (const [key, value] of Object.entries(reads)) {
      const expected = state.get(key) ?? null
      if (value !== expected) wrong.push(`${kind} of ${name} at ${stamp} read ${key} = ${value}, not ${expected}`)
    }
    for (const [key, value] of Object.entries(writes)) state.set(key, value)
  }
  return wrong
}
