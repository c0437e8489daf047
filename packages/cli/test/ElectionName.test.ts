import { KeyRange } from "@effect-fdb/core"
import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import * as ElectionName from "../src/ElectionName.ts"

const subspaceOf = (text: string) => Result.getOrThrow(ElectionName.parse(text)).subspace

describe("the name of an election", () => {
  it("is a path of strings under one root", () => {
    const name = Result.getOrThrow(ElectionName.parse("app/scheduler"))
    assert.deepStrictEqual(name.parts, ["app", "scheduler"])
    assert.deepStrictEqual(Result.getOrThrow(name.subspace.unpack(name.subspace.pack())), [])
    assert.isTrue(Buffer.from(name.subspace.prefix).toString("latin1").startsWith("\u0002fdb-election\u0000"))
  })

  it("is refused where a part is empty, cannot be read, or is too long", () => {
    for (const text of ["", "/", "a/", "/a", "a//b", "a/ b", "a\nb", "a\u0000b", "\ud800", "x".repeat(257)]) {
      assert.isTrue(Result.isFailure(ElectionName.parse(text)), JSON.stringify(text))
    }
  })

  it("gives no election keys of another, not even one named like its records", () => {
    const names = ["app", "app/config", "app/candidates", "app/candidates/x", "ap", "app/scheduler"]
    for (const one of names) {
      for (const other of names) {
        if (one === other) continue
        const range = KeyRange.fromPrefix(subspaceOf(one).prefix)
        assert.isFalse(KeyRange.contains(range, subspaceOf(other).pack(["config"])), `${one} contains ${other}`)
      }
    }
  })

  it.prop("of different texts are different", { a: Schema.NonEmptyString, b: Schema.NonEmptyString }, ({ a, b }) => {
    const [one, other] = [ElectionName.parse(a), ElectionName.parse(b)]
    if (Result.isFailure(one) || Result.isFailure(other)) return
    assert.strictEqual(
      Buffer.compare(one.success.subspace.prefix, other.success.subspace.prefix) === 0,
      a === b
    )
  })
})
