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
    const noticed = new Set(Mutants.all.flatMap(({ noticedBy }) => "checker" in noticedBy ? [noticedBy.checker] : []))
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

  it("the test of each that is not noticed in histories is there", () => {
    const byTest = Mutants.all.flatMap(({ noticedBy }) => "test" in noticedBy ? [noticedBy] : [])
    assert.isAtLeast(byTest.length, 1)
    for (const { file, test } of byTest) assert.include(readFileSync(new URL(file, root), "utf8"), test)
  })

  it("a text that is not found is an error", () => {
    const [patch] = Mutants.all[0]!.patches
    const { status, stderr } = mutant([{ ...patch!, find: "a text that is in no file" }], "calm", 1)
    assert.strictEqual(status, 1)
    assert.include(stderr, "is found 0 times")
  })

  for (const name of ["no-watches", "fast-renewal-keeps-the-ballot"]) {
    const { noticedBy, patches } = Mutants.all.find((mutation) => mutation.name === name)!
    if (!("checker" in noticedBy)) throw new Error(`${name} is noticed by no checker`)
    it(`${name} is noticed by ${noticedBy.checker}, which is silent without it`, () => {
      const noticed = (patches: ReadonlyArray<Mutants.Patch>) => mutant(patches, noticedBy.profile, 2).stdout
      assert.include(noticed(patches), noticedBy.checker)
      assert.strictEqual(noticed([]), "[]\n[]\n")
    })
  }
})
