/** Replaying the commit-ordered record gives the stored state, by transitions that the protocol has. */
import { Atomic, Bytes } from "@effect-fdb/core"
import type { Checker, Violation } from "../Checker.ts"
import type { Analysis } from "../internal/analysis.ts"
import * as Transitions from "../internal/transitions.ts"

/** What the record alone says that the database holds. */
const replayed = ({ history }: Analysis): Map<string, Uint8Array> => {
  const data = new Map<string, Uint8Array>()
  const put = (key: string, value: Uint8Array | undefined): void => {
    if (value === undefined) data.delete(key)
    else data.set(key, value)
  }
  for (const { mutations } of history.record) {
    for (const mutation of mutations) {
      if (mutation._tag === "ClearRange") {
        const [begin, end] = [Bytes.toHex(mutation.begin), Bytes.toHex(mutation.end)]
        for (const key of data.keys()) {
          if (key >= begin && key < end) data.delete(key)
        }
        continue
      }
      const key = Bytes.toHex(mutation.key)
      if (mutation._tag === "Set") put(key, mutation.value)
      else if (mutation._tag === "Clear") put(key, undefined)
      else put(key, Atomic.apply(mutation.op, data.get(key), mutation.operand))
    }
  }
  return data
}

export const checker: Checker = {
  name: "replay",
  promise: "every commit is a transition that the protocol allows, and all of them together give the stored state",
  check: (analysis) => {
    const violations: Array<Violation> = []
    for (const { entry: { commit }, verdict } of Transitions.name(analysis)) {
      if (!("illegal" in verdict)) continue
      violations.push({ checker: "replay", at: commit.at, who: commit.by, message: `${commit.by} ${verdict.illegal}` })
    }
    const data = replayed(analysis)
    const { endedAt, stored } = analysis.history
    for (const { key, value } of stored) {
      const expected = data.get(Bytes.toHex(key))
      data.delete(Bytes.toHex(key))
      if (expected !== undefined && Bytes.equals(expected, value)) continue
      const message = `the stored value of ${Bytes.toPrintable(key)} is not what was committed`
      violations.push({ checker: "replay", at: endedAt, message })
    }
    for (const key of data.keys()) {
      const message = `${Bytes.toPrintable(Bytes.fromHex(key))} was committed and is not stored`
      violations.push({ checker: "replay", at: endedAt, message })
    }
    return violations
  }
}
