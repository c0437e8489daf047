import { Atomic, Bytes } from "@effect-fdb/core"
import * as Checker from "../Checker.ts"
import type { History } from "../History.ts"
import * as Transitions from "../internal/transitions.ts"

/** The stored values according to the commits, by key in hexadecimal. */
const replayed = ({ record }: History): Map<string, Uint8Array> => {
  const data = new Map<string, Uint8Array>()
  for (const mutation of record.flatMap(({ mutations }) => mutations)) {
    if (mutation._tag === "ClearRange") {
      const [begin, end] = [Bytes.toHex(mutation.begin), Bytes.toHex(mutation.end)]
      for (const key of data.keys()) if (key >= begin && key < end) data.delete(key)
      continue
    }
    const key = Bytes.toHex(mutation.key)
    const value = mutation._tag === "Set"
      ? mutation.value
      : mutation._tag === "Clear"
      ? undefined
      : Atomic.apply(mutation.op, data.get(key), mutation.operand)
    if (value === undefined) data.delete(key)
    else data.set(key, value)
  }
  return data
}

export const replay = Checker.make(
  "replay",
  "every commit is a transition that the protocol allows, and together they produce the stored state",
  function*(analysis) {
    for (const { entry: { commit: { at, by } }, verdict } of Transitions.name(analysis)) {
      if ("illegal" in verdict) yield [at, by, `${by} ${verdict.illegal}`]
    }
    const { endedAt, stored } = analysis.history
    const data = replayed(analysis.history)
    for (const { key, value } of stored) {
      const expected = data.get(Bytes.toHex(key))
      data.delete(Bytes.toHex(key))
      if (expected !== undefined && Bytes.equals(expected, value)) continue
      yield [endedAt, undefined, `the stored value of ${Bytes.toPrintable(key)} is not what was committed`]
    }
    for (const key of data.keys()) {
      yield [endedAt, undefined, `${Bytes.toPrintable(Bytes.fromHex(key))} was committed and is not stored`]
    }
  }
)
