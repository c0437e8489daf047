/** The kind of a commit to the election, by its mutations. */
import { Bytes, Subspace, Tuple, type VersionedStore } from "@effect-fdb/core"
import * as Result from "effect/Result"

/** The subspace of the election. */
export const electionSubspace = Subspace.fromTuple(["simulation", "election"])

const leader = electionSubspace.pack(["leader"])
const candidates = electionSubspace.subspace(["candidates"])

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

const records = new Map<string, CommitKind>([
  [Bytes.toHex(electionSubspace.pack(["lease"])), "renewal"],
  [Bytes.toHex(electionSubspace.pack(["challenge"])), "challenge"],
  [Bytes.toHex(electionSubspace.pack(["config"])), "configuration"]
])

/** Whether a record names nobody: a vacancy, or an operator's request. */
const namesNobody = (value: Uint8Array): boolean => Result.getOrUndefined(Tuple.unpack(value))?.[2] === null

/** See the module; nothing of a commit to something else. */
export const commitKind = (mutations: VersionedStore.Commit["mutations"]): CommitKind | undefined => {
  let kind: CommitKind | undefined
  for (const mutation of mutations) {
    if (mutation._tag === "SetVersionstampedValue" && candidates.contains(mutation.key)) return "registration"
    if (mutation._tag !== "Set" && mutation._tag !== "Clear") continue
    const { _tag, key } = mutation
    if (_tag === "Set" && Bytes.equals(key, leader)) return namesNobody(mutation.value) ? "resignation" : "claim"
    // A renewal writes its candidate's record, too.
    if (candidates.contains(key)) kind ??= _tag === "Set" ? "heartbeat" : "removal"
    else if (_tag === "Set") kind = records.get(Bytes.toHex(key)) ?? kind
    if (_tag === "Set" && kind === "challenge" && namesNobody(mutation.value)) kind = "request"
  }
  return kind
}
