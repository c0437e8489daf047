import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync, spawnSync } from "node:child_process"
import * as Checkers from "../src/Checkers.ts"
import * as Mutations from "../src/Mutations.ts"

const root = new URL("../../../", import.meta.url)

/** Mutations are of built files. */
const build = Effect.sync(() => {
  execFileSync("npx", ["--no-install", "tsc", "-b", "packages/simulation/tsconfig.src.json"], {
    cwd: root,
    stdio: "pipe"
  })
})

const mutant = (
  task: { readonly patches: ReadonlyArray<Mutations.Patch>; readonly seeds: number; readonly profile: string }
) =>
  spawnSync(
    process.execPath,
    [new URL("packages/simulation/dist/internal/mutant.js", root).pathname, JSON.stringify(task)],
    { encoding: "utf8" }
  )

describe("mutations", () => {
  it("there is one at least for every checker", () => {
    const noticed = new Set(Mutations.all.map(({ noticedBy }) => noticedBy))
    assert.deepStrictEqual(Checkers.all.map(({ name }) => name).filter((name) => !noticed.has(name)), [])
  })

  it.effect("a text that is not found exactly once is an error", () =>
    Effect.gen(function*() {
      yield* build
      const { patches } = Mutations.all[0]!
      const { status, stderr } = mutant({
        patches: [{ ...patches[0]!, find: "a text that nobody has written" }],
        seeds: 1,
        profile: "calm"
      })
      assert.strictEqual(status, 1)
      assert.include(stderr, "is found 0 times")
    }), 60_000)

  it.effect("every text of every mutation is found", () =>
    Effect.gen(function*() {
      yield* build
      for (const { name, patches } of Mutations.all) {
        const { status, stderr } = mutant({ patches, seeds: 0, profile: "calm" })
        assert.strictEqual(status, 0, `${name}: ${stderr}`)
      }
    }), 60_000)

  for (const name of ["no-watches", "ballot-back-on-resignation", "rounded-token"]) {
    const mutation = Mutations.all.find((mutation) => mutation.name === name)!
    it.effect(`${name} is noticed by ${mutation.noticedBy}, and only then`, () =>
      Effect.gen(function*() {
        yield* build
        const noticed = (patches: ReadonlyArray<Mutations.Patch>) =>
          mutant({ patches, seeds: 1, profile: mutation.profile }).stdout
        assert.include(noticed(mutation.patches), mutation.noticedBy)
        assert.strictEqual(noticed([]), "[]\n")
      }), 60_000)
  }
})
