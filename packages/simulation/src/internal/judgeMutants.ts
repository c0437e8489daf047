/** Runs the mutants, and reports what notices them. */
import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"
import { existsSync, realpathSync } from "node:fs"
import { resolve } from "node:path"
import { fileURLToPath } from "node:url"
import * as Checkers from "../Checkers.ts"
import type { ByChecker, ByTest, Mutant, Patch } from "../Mutants.ts"
import type * as Profile from "../Profile.ts"
import type { Task } from "./mutantProcess.ts"
import { plural } from "./plural.ts"

const program = fileURLToPath(new URL("./mutantProcess.js", import.meta.url))

/** The root of the repository, whose packages are linked. */
const root = () => resolve(realpathSync(program), "../../../../..")

/** Whether the files that mutants change are there. Where the command is bundled, they are not. */
export const isPossible = (): boolean => existsSync(program)

/** The duration of each history, in simulated seconds. */
const duration = 240

/** The number of seeds, unless the checker has noticed with `enough` of them before. */
const mostSeeds = 100
const enough = 2

/** What histories with a mutant, or without one, have shown. */
interface Shown {
  /** The number of seeds tried, and the first with which the stated checker has noticed, counted from one. */
  readonly seeds: number
  readonly first: number | undefined
  /** The number of seeds with which each checker has noticed. */
  readonly noticed: ReadonlyMap<string, number>
  /** The checkers that were the only ones to notice in some history. */
  readonly alone: ReadonlySet<string>
  /** The reason why it could not be judged. */
  readonly error: string | undefined
}

/** What became of some tests. */
interface Tested {
  readonly passed: ReadonlyArray<string>
  readonly failed: ReadonlyArray<string>
  readonly error: string | undefined
}

type Finding =
  & { readonly mutant: Mutant }
  & (
    | { readonly by: ByChecker; readonly shown: Shown }
    | { readonly by: ByTest; readonly tested: Tested }
  )

/** What was found with the mutants, and without any. */
export interface Findings {
  readonly mutants: ReadonlyArray<Finding>
  readonly profiles: ReadonlyMap<Profile.Name, Shown>
  readonly tests: Tested
}

/** Runs a program of Node, and gives what it has printed; its errors if it has failed. */
const node = (args: ReadonlyArray<string>, env: NodeJS.ProcessEnv = {}) =>
  Effect.callback<{ readonly output: string; readonly errors: string | undefined }>((resume) => {
    const options = { cwd: root(), env: { ...process.env, ...env }, maxBuffer: 1e8 }
    const child = execFile(process.execPath, args, options, (failure, output, errors) => {
      const told = errors.trim() === "" ? failure?.message : errors.trim()
      resume(Effect.succeed({ output, errors: failure === null ? undefined : told?.slice(-400) }))
    })
    return Effect.sync(() => void child.kill())
  })

/** Simulates histories in a child process. */
const simulate = (
  patches: ReadonlyArray<Patch>,
  { checker, profile }: ByChecker,
  seeds: number
): Effect.Effect<Shown> => {
  const task: Task = { patches, profile, seeds, duration, until: { noticedBy: checker, times: enough } }
  return Effect.map(node([program, JSON.stringify(task)]), ({ errors, output }) => {
    const histories = output.trim().split("\n").filter((line) => line !== "").map((line) =>
      JSON.parse(line) as ReadonlyArray<string>
    )
    const noticed = new Map<string, number>()
    for (const checker of histories.flat()) noticed.set(checker, (noticed.get(checker) ?? 0) + 1)
    const alone = new Set(histories.flatMap((checkers) => checkers.length === 1 ? checkers : []))
    const first = histories.findIndex((checkers) => checkers.includes(checker))
    return { seeds: histories.length, first: first < 0 ? undefined : first + 1, noticed, alone, error: errors }
  })
}

/** Runs tests on the built files, in a child process. */
const test = (patches: ReadonlyArray<Patch>, tests: ReadonlyArray<ByTest>): Effect.Effect<Tested> => {
  const files = new Set(tests.map(({ file }) => file))
  const pattern = tests.map(({ test }) => test.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`)).join("|")
  const vitest = ["node_modules/vitest/vitest.mjs", "run", "--config", "vitest.mutants.ts", "--reporter", "tap-flat"]
  return Effect.map(
    node([...vitest, ...files, "--testNamePattern", pattern], { EFFECT_FDB_MUTANT: JSON.stringify(patches) }),
    ({ errors, output }) => {
      const run = output.split("\n").filter((line) => /^(?:not )?ok \d/.test(line) && !/ # (?:SKIP|TODO)\b/.test(line))
      const [failed, passed] = [
        run.filter((line) => line.startsWith("not")),
        run.filter((line) => line.startsWith("ok"))
      ]
      // A failed test is no error; that none was run is one.
      return { passed, failed, error: run.length > 0 ? undefined : errors ?? `there is no test "${pattern}"` }
    }
  )
}

/** Whether a test was run and has passed. */
const isPassed = (by: ByTest, { passed, failed }: Tested): boolean => {
  const isOwn = (line: string) => line.includes(by.file) && line.includes(by.test)
  return passed.some(isOwn) && !failed.some(isOwn)
}

/**
 * Judges mutants; and then as many seeds of each profile without any, and the tests without any: all checkers must be silent on
 * the very seeds on which they notice mutants.
 */
export const judge = Effect.fnUntraced(function*(
  mutants: ReadonlyArray<Mutant>,
  { seeds = mostSeeds, threads }: { readonly seeds?: number | undefined; readonly threads: number },
  progress: (line: string) => Effect.Effect<void>
) {
  const concurrency = threads
  const found = yield* Effect.forEach(
    mutants,
    (mutant) => {
      const { noticedBy: by, patches } = mutant
      const judged: Effect.Effect<Finding> = "checker" in by
        ? Effect.map(simulate(patches, by, seeds), (shown) => ({ mutant, by, shown }))
        : Effect.map(test(patches, [by]), (tested) => ({ mutant, by, tested }))
      return Effect.tap(judged, (finding) => progress(`${mutant.name}: ${told(finding)}`))
    },
    { concurrency }
  )
  const needed = new Map<Profile.Name, number>()
  for (const finding of found) {
    if (!("shown" in finding)) continue
    const { by: { profile }, shown } = finding
    needed.set(profile, Math.max(needed.get(profile) ?? 0, shown.seeds))
  }
  const profiles = yield* Effect.forEach(needed, ([profile, seeds]) =>
    Effect.tap(
      Effect.map(simulate([], { checker: "", profile }, seeds), (shown) => [profile, shown] as const),
      ([, shown]) => progress(`without a mutant, ${profile}: ${toldOf(shown)}`)
    ), { concurrency })
  const tests = found.flatMap((finding) => "tested" in finding ? [finding.by] : [])
  const passed = tests.length === 0 ? { passed: [], failed: [], error: undefined } : yield* test([], tests)
  const findings: Findings = { mutants: found, profiles: new Map(profiles), tests: passed }
  return findings
})

const toldOf = ({ error, noticed, seeds }: Shown): string =>
  error ?? (noticed.size === 0
    ? `nobody, in ${seeds}`
    : [...noticed].map(([checker, count]) => `${checker} ${count}/${seeds}`).join(", "))

const told = (finding: Finding): string =>
  "shown" in finding
    ? toldOf(finding.shown)
    : finding.tested.error ?? (isPassed(finding.by, finding.tested) ? "nobody" : "its test")

const isNoticed = (finding: Finding): boolean =>
  "shown" in finding
    ? finding.shown.first !== undefined
    : finding.tested.error === undefined && !isPassed(finding.by, finding.tested)

/** Whether what notices a mutant says nothing without it. */
const isSilentWithout = (finding: Finding, { profiles, tests }: Findings): boolean => {
  if ("tested" in finding) return isPassed(finding.by, tests)
  const shown = profiles.get(finding.by.profile)
  return shown?.error === undefined && shown?.noticed.size === 0 && shown.seeds >= finding.shown.seeds
}

/** What is not as it should be. */
export const problems = (findings: Findings, complete: boolean): ReadonlyArray<string> => {
  const found: Array<string> = []
  for (const finding of findings.mutants) {
    const { by, mutant: { name } } = finding
    const { error } = "shown" in finding ? finding.shown : finding.tested
    if (error !== undefined) found.push(`${name} could not be judged: ${error}`)
    else if (!isNoticed(finding)) {
      found.push(
        "shown" in finding
          ? `${finding.by.checker} has not noticed ${name} within ${plural(finding.shown.seeds, "seed")}`
          : `${finding.by.test} has passed with ${name}`
      )
    }
    if ("test" in by && !isSilentWithout(finding, findings)) found.push(`"${by.test}" does not pass without a mutant`)
  }
  for (const [profile, { error, noticed }] of findings.profiles) {
    if (error !== undefined) found.push(`${profile} could not be judged without a mutant: ${error}`)
    for (const checker of noticed.keys()) found.push(`${checker} is not silent in ${profile}, though nothing is wrong`)
  }
  if (!complete) return found
  for (const { name } of Checkers.all) {
    if (!findings.mutants.some((finding) => "shown" in finding && finding.shown.alone.has(name))) {
      found.push(`no mutant is noticed by ${name} alone: it is not shown to be needed`)
    }
  }
  return found
}

/** What the table says of a mutant. */
const row = (finding: Finding, findings: Findings): ReadonlyArray<string> => {
  const { mutant: { name, wrong } } = finding
  const silent = isSilentWithout(finding, findings) ? "yes" : "NO"
  if ("tested" in finding) {
    const { by: { file, test }, tested: { error } } = finding
    const noticing = isNoticed(finding)
      ? `test "${test}"`
      : `${error === undefined ? "NOBODY" : "ERROR"}, not even "${test}"`
    return [name, file.replace(/^.*\/(.+)\.test\.ts$/, "$1"), noticing, "–", silent, wrong]
  }
  const { by: { checker, profile }, shown: { error, first, noticed, seeds } } = finding
  const own = noticed.get(checker) ?? 0
  const others = [...noticed.keys()].filter((name) => name !== checker)
  const also = others.length === 0 ? "" : `; also ${others.join(", ")}`
  const noticing = error !== undefined ? "ERROR" : `${own === 0 ? "NOT " : ""}${checker}, ${own} of ${seeds}${also}`
  return [name, profile, noticing, String(first ?? "–"), silent, wrong]
}

const heading = [
  "mutant",
  "where",
  "noticed by, with how many seeds",
  "first after",
  "silent without it",
  "what is wrong"
]

/** Lines of a table, in Markdown; no longer than `width`, if that is given. */
export const toTable = (findings: Findings, width?: number): string => {
  const rows = [heading, ...findings.mutants.map((finding) => row(finding, findings))]
  const widths = heading.map((_, column) => Math.max(...rows.map((cells) => cells[column]!.length)))
  const line = (cells: ReadonlyArray<string>): string => {
    const padded = cells.map((cell, column) => cell.padEnd(widths[column]!))
    const text = `| ${padded.join(" | ")} |`
    return width === undefined || text.length <= width ? text : `${text.slice(0, width - 1)}…`
  }
  const [head, ...body] = rows.map(line)
  return [head, line(widths.map((width) => "-".repeat(width))), ...body].join("\n")
}

/** The result in two lines. */
export const summary = (findings: Findings, seconds: number): string => {
  const noticed = findings.mutants.filter(isNoticed)
  const tests = noticed.filter((finding) => "tested" in finding).length
  const silent = [...findings.profiles].map(([profile, { seeds }]) => `${profile} ${seeds}`).join(", ")
  return [
    `${noticed.length} of ${plural(findings.mutants.length, "mutant")} noticed: ` +
    `${noticed.length - tests} in histories, ${tests} by a test; in ${seconds.toFixed(0)} s`,
    `histories without a mutant: ${silent === "" ? "none" : silent}`
  ].join("\n")
}
