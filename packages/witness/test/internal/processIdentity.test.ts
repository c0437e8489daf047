import { assert, describe, it } from "@effect/vitest"
import * as fs from "node:fs"
import { decodeStat, isSeen, self } from "../../src/internal/processIdentity.ts"

/** What Linux tells of a thread; the flags in hexadecimal, as in the kernel's source. */
const statOf = (state: string, flags: number, name = "node") =>
  `4711 (${name}) ${state} 1 4711 4711 0 -1 ${flags} 120 0 3 0 15 4 0 0 20 0 11 0 987654 1 2 3`

describe("what Linux tells of a process or a thread", () => {
  it("has ended as a zombie, dead, or while the kernel ends it, whatever it waits for then", () => {
    for (const state of ["R", "S", "D", "T", "t", "I", "Z", "X"]) {
      const isGone = state === "Z" || state === "X"
      assert.strictEqual(decodeStat(statOf(state, 0x400000)).hasEnded, isGone)
      assert.isTrue(decodeStat(statOf(state, 0x400004)).hasEnded)
      assert.isTrue(decodeStat(statOf(state, 0x40004c)).hasEnded)
      // The flags beside it: of a worker of io_uring, of a thread that dumps core, of one that was killed.
      assert.strictEqual(decodeStat(statOf(state, 0x400618)).hasEnded, isGone)
    }
  })

  it("has a name that may look like anything", () => {
    for (const name of ["node", "a) Z 4 4", ") X (", "(", "a b\nc", ")"]) {
      assert.deepStrictEqual(decodeStat(statOf("S", 0x400000, name)), { start: "987654", hasEnded: false })
    }
  })

  it("is no end where the flags are missing or unreadable", () => {
    assert.isFalse(decodeStat("4711 (node) S").hasEnded)
    assert.isFalse(decodeStat("4711 (node) S 1 2 3 4 5 x 7").hasEnded)
  })

  it.skipIf(process.platform !== "linux")("is read of this process, which runs", () => {
    assert.isFalse(decodeStat(fs.readFileSync("/proc/self/stat", "latin1")).hasEnded)
    assert.isTrue(isSeen(self))
    assert.isFalse(self !== undefined && isSeen({ ...self, start: "1" }))
  })
})
