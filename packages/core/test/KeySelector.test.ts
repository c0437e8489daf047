import { assert, describe, it } from "@effect/vitest"
import { KeySelector } from "../src/index.ts"

const key = Uint8Array.of(1)

describe("KeySelector", () => {
  it("names the four positions around a key", () => {
    assert.deepStrictEqual(KeySelector.lastLessThan(key), { key, orEqual: false, offset: 0 })
    assert.deepStrictEqual(KeySelector.lastLessOrEqual(key), { key, orEqual: true, offset: 0 })
    assert.deepStrictEqual(KeySelector.firstGreaterThan(key), { key, orEqual: true, offset: 1 })
    assert.deepStrictEqual(KeySelector.firstGreaterOrEqual(key), { key, orEqual: false, offset: 1 })
  })

  it("moves by keys that are there", () => {
    assert.deepStrictEqual(KeySelector.move(KeySelector.firstGreaterThan(key), -3), { key, orEqual: true, offset: -2 })
  })
})
