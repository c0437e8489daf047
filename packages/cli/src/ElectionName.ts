/**
 * The name of an election on the command line: a path of strings, as `app/scheduler`.
 *
 * All elections of the command stand under one prefix, so that no name reaches other data of the database. The path is one
 * element of the key's tuple, and not several: the subspace of `app` must not contain that of `app/config`.
 */
import { Subspace } from "@effect-fdb/core"
import * as Result from "effect/Result"

/** The first element of every key that the command reads or writes. */
export const root = "fdb-election"

export interface ElectionName {
  /** As it is written. */
  readonly text: string
  readonly parts: ReadonlyArray<string>
  /** Where it stands: `Subspace.fromTuple(["fdb-election", ["app", "scheduler"]])` for `app/scheduler`. */
  readonly subspace: Subspace.Subspace
}

/** Leaves room for candidates' ids within the keys of every engine. */
const maxBytes = 256

const problemOf = (part: string): string | undefined => {
  if (part === "") return "has an empty part; write parts and slashes between them, as in app/scheduler"
  if (/\p{Surrogate}/u.test(part)) return "holds half of a surrogate pair and has no UTF-8 encoding"
  return /[\p{Cc}\p{Zl}\p{Zp}]/u.test(part) || part !== part.trim()
    ? "holds a control character, or a space next to a slash or at an end"
    : undefined
}

/** The election of that name; or, in half a sentence, why there can be none. */
export const parse = (text: string): Result.Result<ElectionName, string> => {
  const bytes = Buffer.byteLength(text)
  if (bytes > maxBytes) return Result.fail(`has ${bytes} bytes; ${maxBytes} are allowed`)
  const parts = text.split("/")
  const problem = parts.map(problemOf).find((problem) => problem !== undefined)
  return problem === undefined
    ? Result.succeed({ text, parts, subspace: Subspace.fromTuple([root, parts]) })
    : Result.fail(problem)
}
