import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import * as Checkers from "../src/Checkers.ts"
import * as Mutants from "../src/Mutants.ts"

const root = new URL("../../../", import.meta.url)

/** Mutants are of built files. */
const mutant = (patches: ReadonlyArray<Mutants.Patch>, profile: string, seeds: number) =>
  spawnSync(
    process.execPath,
    [
      new URL("packages/simulation/dist/internal/mutantProcess.js", root).pathname,
      JSON.stringify({ patches, profile, seeds, duration: 120 })
    ],
    { encoding: "utf8" }
  )

describe("mutations", () => {
  it("every checker has at least one, and each has a checker", () => {
    const noticed = new Set(Mutants.all.map(({ noticedBy }) => noticedBy))
    assert.deepStrictEqual(noticed, new Set(Checkers.all.map(({ name }) => name)))
  })

  it("the text of each is found exactly once in the built files", () => {
    for (const { name, patches } of Mutants.all) {
      for (const { file, find, package: from } of patches) {
        const built = new URL(`packages/${from.replace("@effect-fdb/", "")}/dist/${file}`, root)
        assert.strictEqual(readFileSync(built, "utf8").split(find).length - 1, 1, `${name}: ${find}`)
      }
    }
  })

  it("a text that is not found is an error", () => {
    const [patch] = Mutants.all[0]!.patches
    const { status, stderr } = mutant([{ ...patch!, find: "a text that is in no file" }], "calm", 1)
    assert.strictEqual(status, 1)
    assert.include(stderr, "is found 0 times")
  })

  for (const name of ["no-watches", "fast-renewal-keeps-the-ballot"]) {
    const mutation = Mutants.all.find((mutation) => mutation.name === name)!
    it(`${name} is noticed by ${mutation.noticedBy}, which is silent without it`, () => {
      const noticed = (patches: ReadonlyArray<Mutants.Patch>) => mutant(patches, mutation.profile, 2).stdout
      assert.include(noticed(mutation.patches), mutation.noticedBy)
      assert.strictEqual(noticed([]), "[]\n[]\n")
    })
  }
})
