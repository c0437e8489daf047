/** The kind of a commit to an election, by its mutations. */
import { Bytes, Tuple, type VersionedStore } from "@effect-fdb/core"
import * as Result from "effect/Result"
import type { Election } from "./elections.ts"

export type CommitKind =
  | "claim"
  | "appointment"
  | "resignation"
  | "renewal"
  | "raise"
  | "challenge"
  | "request"
  | "configuration"
  | "registration"
  | "heartbeat"
  | "removal"
  | "table"

const fieldsOf = (value: Uint8Array) => Result.getOrUndefined(Tuple.unpack(value))

/** Whether a record names nobody: a vacancy, or an operator's request. */
const namesNobody = (value: Uint8Array): boolean => fieldsOf(value)?.[2] === null

/** The candidate that the record of a leader names, if another has appointed it. */
const appointedBy = (value: Uint8Array): string | undefined => {
  const [, , id, , , appointer] = fieldsOf(value) ?? []
  return typeof id === "string" && typeof appointer === "string" ? id : undefined
}

/** See the module; nothing of a commit to something else. */
export const makeCommitKind = ({ subspace, table }: Election) => {
  const leader = subspace.pack(["leader"])
  const candidates = subspace.subspace(["candidates"])
  const records = new Map<string, CommitKind>([
    [Bytes.toHex(subspace.pack(["lease"])), "renewal"],
    [Bytes.toHex(subspace.pack(["challenge"])), "challenge"],
    [Bytes.toHex(subspace.pack(["config"])), "configuration"]
  ])
  return (mutations: VersionedStore.Commit["mutations"]): CommitKind | undefined => {
    let kind: CommitKind | undefined
    let isOfCandidate = false
    for (const mutation of mutations) {
      if (mutation._tag === "SetVersionstampedValue" && candidates.contains(mutation.key)) return "registration"
      if (mutation._tag !== "Set" && mutation._tag !== "Clear") continue
      const { _tag, key } = mutation
      if (table !== undefined && Bytes.equals(key, table)) return "table"
      if (!subspace.contains(key)) continue
      if (_tag === "Set" && Bytes.equals(key, leader)) {
        if (namesNobody(mutation.value)) return "resignation"
        return appointedBy(mutation.value) === undefined ? "claim" : "appointment"
      }
      if (candidates.contains(key)) {
        isOfCandidate = true
        kind ??= _tag === "Set" ? "heartbeat" : "removal"
      } else if (_tag === "Set") kind = records.get(Bytes.toHex(key)) ?? kind
      if (_tag === "Set" && kind === "challenge" && namesNobody(mutation.value)) kind = "request"
    }
    // A renewal writes its candidate's record, too.
    return kind === "renewal" && !isOfCandidate ? "raise" : kind
  }
}

/** The id of the candidate that a commit appoints, if it appoints one. */
export const appointedIn = (
  { subspace }: Election,
  mutations: VersionedStore.Commit["mutations"]
): string | undefined => {
  const leader = subspace.pack(["leader"])
  for (const mutation of mutations) {
    if (mutation._tag === "Set" && Bytes.equals(mutation.key, leader)) return appointedBy(mutation.value)
  }
  return undefined
}
