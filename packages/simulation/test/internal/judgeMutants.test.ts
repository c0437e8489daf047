import { assert, describe, it } from "@effect/vitest"
import * as JudgeMutants from "../../src/internal/judgeMutants.ts"

type Findings = JudgeMutants.Findings

const mutant = (name: string, noticedBy: Findings["mutants"][number]["by"]) => ({
  name,
  wrong: "something",
  patches: [],
  noticedBy
})

const inHistories = (name: string, first: number | undefined, error?: string): Findings["mutants"][number] => {
  const by = { checker: "replay", profile: "late" } as const
  const noticed = new Map(first === undefined ? [] : [["replay", 2], ["growth", 1]])
  return {
    mutant: mutant(name, by),
    by,
    shown: { seeds: 7, first, noticed, alone: new Set(first === undefined ? [] : ["replay"]), error }
  }
}

const tests = (passed: ReadonlyArray<string>, failed: ReadonlyArray<string>, error?: string) => ({
  passed: passed.map((name) => `ok 1 - packages/a/test/B.test.ts > ${name} # time=1ms`),
  failed: failed.map((name) => `not ok 1 - packages/a/test/B.test.ts > ${name} # time=1ms`),
  error
})

const byTest = (name: string, tested: ReturnType<typeof tests>): Findings["mutants"][number] => {
  const by = { test: "says so", file: "packages/a/test/B.test.ts" }
  return { mutant: mutant(name, by), by, tested }
}

const silent = {
  seeds: 7,
  first: undefined,
  noticed: new Map<string, number>(),
  alone: new Set<string>(),
  error: undefined
}

const findings = (mutants: Findings["mutants"], more: Partial<Findings> = {}): Findings => ({
  mutants,
  profiles: new Map([["late", silent]]),
  tests: tests(["it says so"], []),
  ...more
})

describe("what is told of the mutants", () => {
  it("is by what each is noticed, with which seed first, and that this is silent without it", () => {
    const found = findings([inHistories("one", 3), byTest("two", tests([], ["it says so"]))])
    assert.deepStrictEqual(JudgeMutants.problems(found, false), [])
    const [, , one, two] = JudgeMutants.toTable(found).split("\n").map((line) =>
      line.split("|").map((cell) => cell.trim()).slice(1, -1)
    )
    assert.deepStrictEqual(one, ["one", "late", "replay, 2 of 7; also growth", "3", "yes", "something"])
    assert.deepStrictEqual(two, ["two", "B", `test "says so"`, "–", "yes", "something"])
    assert.match(
      JudgeMutants.summary(found, 12),
      /^2 of 2 mutants noticed: 1 in histories, 1 by a test; in 12 s\n.*late 7$/
    )
  })

  it("fits the terminal", () => {
    const lines = JudgeMutants.toTable(findings([inHistories("one", 3)]), 40).split("\n")
    for (const line of lines) assert.strictEqual(line.length, 40)
  })

  for (
    const [what, found, problem, cell] of [
      [
        "a mutant that no seed shows",
        findings([inHistories("one", undefined)]),
        "replay has not noticed one within 7 seeds",
        "NOT replay"
      ],
      [
        "one that cannot be judged",
        findings([inHistories("one", undefined, "no such file")]),
        "one could not be judged: no such file",
        "ERROR"
      ],
      [
        "a test that passes with it",
        findings([byTest("one", tests(["it says so"], []))]),
        "says so has passed with one",
        "NOBODY"
      ],
      [
        "a test that was not run",
        findings([byTest("one", tests([], [], "no test"))]),
        "one could not be judged: no test",
        "ERROR"
      ],
      [
        "a test that fails without it",
        findings([byTest("one", tests([], ["it says so"]))], { tests: tests([], ["it says so"]) }),
        `"says so" does not pass without a mutant`,
        "| NO "
      ],
      [
        "a test that is not run without it",
        findings([byTest("one", tests([], ["it says so"]))], { tests: tests(["another"], []) }),
        `"says so" does not pass without a mutant`,
        "| NO "
      ],
      [
        "a checker that is not silent without it",
        findings([inHistories("one", 1)], {
          profiles: new Map([["late", { ...silent, noticed: new Map([["replay", 1]]) }]])
        }),
        "replay is not silent in late, though nothing is wrong",
        "| NO "
      ]
    ] as const
  ) {
    it(`is a problem: ${what}`, () => {
      assert.deepStrictEqual(JudgeMutants.problems(found, false), [problem])
      assert.include(JudgeMutants.toTable(found), cell)
    })
  }
})
