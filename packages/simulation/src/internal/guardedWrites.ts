/** The guarded writes among the commits, with their process, step and term. */
import { Bytes, Tuple } from "@effect-fdb/core"
import * as Result from "effect/Result"
import type { CommitRecord } from "../SimulatedDatabase.ts"
import type { Election } from "./elections.ts"

/** The counter update of a commit, if it has one. */
export const counterUpdate = ({ counter }: Election, { mutations }: CommitRecord) => {
  for (const mutation of mutations) {
    if (mutation._tag !== "Set" || !Bytes.equals(mutation.key, counter)) continue
    const tuple = Tuple.unpack(mutation.value)
    const [count, by, term, step] = Result.getOrElse(tuple, () => [])
    if (typeof count === "bigint" && typeof by === "string" && typeof term === "bigint" && typeof step === "string") {
      return { count, by, term, step }
    }
  }
  return undefined
}

/** The process and term of a guarded write, if the commit is one. */
export const guardedWrite = (
  election: Election,
  commit: CommitRecord
): { readonly by: string; readonly term: bigint } | undefined => {
  for (const mutation of commit.mutations) {
    if (mutation._tag !== "Set") continue
    const tuple = Tuple.unpack(mutation.value)
    if (election.table !== undefined && Bytes.equals(mutation.key, election.table)) {
      const [, , term] = Result.getOrElse(tuple, () => [])
      if (typeof term === "bigint") return { by: commit.by, term }
    }
    if (!election.journal.contains(mutation.key)) continue
    const [by, term] = Result.getOrElse(tuple, () => [])
    if (typeof by === "string" && typeof term === "bigint") return { by, term }
  }
  return counterUpdate(election, commit)
}
