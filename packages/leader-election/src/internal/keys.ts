/** Where the records of an election stand. */
import { Bytes, KeyRange, type Subspace } from "@effect-fdb/core"

export interface ElectionKeys {
  /** The subspace, printable. */
  readonly name: string
  readonly config: Uint8Array
  readonly leader: Uint8Array
  readonly lease: Uint8Array
  readonly challenge: Uint8Array
  readonly candidates: Subspace.Subspace
  readonly history: Subspace.Subspace
  readonly candidate: (id: string) => Uint8Array
  readonly tenure: (term: bigint) => Uint8Array
  /** All of it. */
  readonly all: KeyRange.KeyRange
}

export const make = (subspace: Subspace.Subspace): ElectionKeys => {
  const candidates = subspace.subspace(["candidates"])
  const history = subspace.subspace(["history"])
  let last: { readonly id: string; readonly key: Uint8Array } | undefined
  return {
    name: Bytes.toPrintable(subspace.prefix),
    config: subspace.pack(["config"]),
    leader: subspace.pack(["leader"]),
    lease: subspace.pack(["lease"]),
    challenge: subspace.pack(["challenge"]),
    candidates,
    history,
    // A process asks for its own key, over and over.
    candidate: (id) => {
      if (last?.id !== id) last = { id, key: candidates.pack([id]) }
      return last.key
    },
    tenure: (term) => history.pack([term]),
    all: KeyRange.fromPrefix(subspace.prefix)
  }
}
