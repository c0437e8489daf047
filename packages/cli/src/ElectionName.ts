/**
 * The name of an election on the command line: a path of strings, such as `app/scheduler`.
 *
 * All elections of the command have one prefix, so that no name reaches other data. The path is a single (nested) element of the
 * key's tuple, so that the subspace of `app` does not contain that of `app/config`.
 */
import { Subspace } from "@effect-fdb/core"
import * as Result from "effect/Result"

/** The first element of every key that the command reads or writes. */
export const root = "fdb-election"

export interface ElectionName {
  readonly text: string
  readonly parts: ReadonlyArray<string>
  /** The election's subspace: `Subspace.fromTuple(["fdb-election", ["app", "scheduler"]])` for `app/scheduler`. */
  readonly subspace: Subspace.Subspace
}

/** Leaves room for candidates' ids within the keys of every engine. */
const maxBytes = 256

const problemOf = (part: string): string | undefined => {
  if (part === "") return "has an empty part; write it as parts with slashes between them, such as app/scheduler"
  if (/\p{Surrogate}/u.test(part)) return "contains half of a surrogate pair, which has no UTF-8 encoding"
  return /[\p{Cc}\p{Zl}\p{Zp}]/u.test(part) || part !== part.trim()
    ? "contains a control character, or begins or ends a part with a space"
    : undefined
}

/** The election of a name, or half a sentence that says why the name is not valid. */
export const parse = (text: string): Result.Result<ElectionName, string> => {
  const bytes = Buffer.byteLength(text)
  if (bytes > maxBytes) return Result.fail(`has ${bytes} bytes; the maximum is ${maxBytes}`)
  const parts = text.split("/")
  const problem = parts.map(problemOf).find((problem) => problem !== undefined)
  return problem === undefined
    ? Result.succeed({ text, parts, subspace: Subspace.fromTuple([root, parts]) })
    : Result.fail(problem)
}
