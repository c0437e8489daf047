/** The kind of a commit to an election, by its mutations. */
import { Bytes, type Subspace, Tuple, type VersionedStore } from "@effect-fdb/core"
import * as Result from "effect/Result"

export type CommitKind =
  | "claim"
  | "resignation"
  | "renewal"
  | "challenge"
  | "request"
  | "configuration"
  | "registration"
  | "heartbeat"
  | "removal"

/** Whether a record names nobody: a vacancy, or an operator's request. */
const namesNobody = (value: Uint8Array): boolean => Result.getOrUndefined(Tuple.unpack(value))?.[2] === null

/** See the module; nothing of a commit to something else. */
export const makeCommitKind = (subspace: Subspace.Subspace) => {
  const leader = subspace.pack(["leader"])
  const candidates = subspace.subspace(["candidates"])
  const records = new Map<string, CommitKind>([
    [Bytes.toHex(subspace.pack(["lease"])), "renewal"],
    [Bytes.toHex(subspace.pack(["challenge"])), "challenge"],
    [Bytes.toHex(subspace.pack(["config"])), "configuration"]
  ])
  return (mutations: VersionedStore.Commit["mutations"]): CommitKind | undefined => {
    let kind: CommitKind | undefined
    for (const mutation of mutations) {
      if (mutation._tag === "SetVersionstampedValue" && candidates.contains(mutation.key)) return "registration"
      if (mutation._tag !== "Set" && mutation._tag !== "Clear") continue
      const { _tag, key } = mutation
      if (!subspace.contains(key)) continue
      if (_tag === "Set" && Bytes.equals(key, leader)) return namesNobody(mutation.value) ? "resignation" : "claim"
      // A renewal writes its candidate's record, too.
      if (candidates.contains(key)) kind ??= _tag === "Set" ? "heartbeat" : "removal"
      else if (_tag === "Set") kind = records.get(Bytes.toHex(key)) ?? kind
      if (_tag === "Set" && kind === "challenge" && namesNobody(mutation.value)) kind = "request"
    }
    return kind
  }
}
