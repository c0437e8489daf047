import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Schema } from "effect"
import { Bytes, Subspace, Testimony, Versionstamp } from "../src/index.ts"

const stamp = (version: number, user = 0) => {
  const bytes = new Uint8Array(10)
  Bytes.writeUint(bytes, 4, 4, version)
  return Versionstamp.make(bytes, user)
}

describe("a testimony", () => {
  it.effect.prop("tells what it was made of, whatever the id", {
    prefix: Schema.Uint8Array,
    id: Schema.NonEmptyString,
    version: Schema.Natural
  }, ({ id, prefix, version }) =>
    Effect.sync(() => {
      const subspace = Subspace.make(prefix)
      const registration = stamp(version % 2 ** 32, 3)
      const testimony = Testimony.make(Testimony.ofSubspace(subspace), id, registration)
      assert.strictEqual(Testimony.electionOf(testimony), Testimony.ofSubspace(subspace))
      const parts = Option.getOrThrow(Testimony.parse(testimony))
      assert.deepStrictEqual(parts.subspace.prefix, subspace.prefix)
      assert.strictEqual(parts.id, id)
      assert.isTrue(Bytes.equals(parts.registration.bytes, registration.bytes))
    }))

  it("with slashes and line breaks in its id is told from others", () => {
    const ids = ["a", "a/b", "/", "\n", "a\nb", "0".repeat(24) + "/a"]
    for (const id of ids) {
      const parts = Option.getOrThrow(Testimony.parse(Testimony.make("15", id, stamp(1))))
      assert.strictEqual(parts.id, id)
    }
    assert.strictEqual(new Set(ids.map((id) => Testimony.make("15", id, stamp(1)))).size, ids.length)
  })

  it("sorts in the order of registration among those of its election", () => {
    const stamps = [stamp(255), stamp(9), stamp(10), stamp(9, 1), stamp(256)]
    const sorted = stamps.map((registration, i) => Testimony.make("15", `z${9 - i}`, registration)).toSorted()
    const expected = stamps.toSorted(Versionstamp.compare).map(String)
    assert.deepStrictEqual(sorted.map((one) => String(Option.getOrThrow(Testimony.parse(one)).registration)), expected)
  })

  it("is nothing else", () => {
    for (
      const text of ["", "a", "15/00/a", `1/${stamp(1)}/a`, `15/${stamp(1)}/`, `15/${stamp(1)}`, `XY/${stamp(1)}/a`]
    ) {
      assert.isTrue(Option.isNone(Testimony.parse(text)), text)
    }
  })
})
