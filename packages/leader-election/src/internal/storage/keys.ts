/** Where the records of an election stand. */
import { Bytes, type Subspace, Tuple } from "@effect-fdb/core"
import * as Result from "effect/Result"

export interface ElectionKeys {
  /** The subspace in words: its tuple and those in it, joined by slashes, where they have texts only; else its bytes, printable. */
  readonly name: string
  readonly config: Uint8Array
  readonly leader: Uint8Array
  readonly lease: Uint8Array
  readonly challenge: Uint8Array
  readonly candidates: Subspace.Subspace
  readonly calls: Subspace.Subspace
  readonly history: Subspace.Subspace
  readonly candidate: (id: string) => Uint8Array
  readonly call: (id: string) => Uint8Array
  readonly historyEntry: (term: bigint) => Uint8Array
}

const nameOf = (subspace: Subspace.Subspace): string => {
  const flat = (elements: ReadonlyArray<unknown>): ReadonlyArray<unknown> =>
    elements.flatMap((element) => Array.isArray(element) ? flat(element) : [element])
  const elements = flat(Result.getOrElse(Tuple.unpack(subspace.prefix), () => []))
  return elements.length > 0 && elements.every((element) => typeof element === "string")
    ? elements.join("/")
    : Bytes.toPrintable(subspace.prefix)
}

export const make = (subspace: Subspace.Subspace): ElectionKeys => {
  const candidates = subspace.subspace(["candidates"])
  const calls = subspace.subspace(["calls"])
  const history = subspace.subspace(["history"])
  let last: { readonly id: string; readonly key: Uint8Array } | undefined
  return {
    name: nameOf(subspace),
    config: subspace.pack(["config"]),
    leader: subspace.pack(["leader"]),
    lease: subspace.pack(["lease"]),
    challenge: subspace.pack(["challenge"]),
    candidates,
    calls,
    history,
    // A process asks for its own key, over and over.
    candidate: (id) => {
      if (last?.id !== id) last = { id, key: candidates.pack([id]) }
      return last.key
    },
    call: (id) => calls.pack([id]),
    historyEntry: (term) => history.pack([term])
  }
}
