/** Runs the mutants, and reports which checkers catch them. */
import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as Checkers from "../Checkers.ts"
import type { Mutant } from "../Mutants.ts"
import type * as Profile from "../Profile.ts"
import type { Task } from "./mutantProcess.ts"
import { plural } from "./plural.ts"

const program = fileURLToPath(new URL("./mutantProcess.js", import.meta.url))

/** Whether the files that mutants change are there. Where the command is bundled, they are not. */
export const isPossible = (): boolean => existsSync(program)

/** The duration of each history, in simulated seconds. */
const duration = 240

/** The number of seeds, unless the checker has noticed with `enough` of them before. */
const mostSeeds = 50
const enough = 3

interface Finding {
  readonly mutant: Mutant
  /** The number of seeds tried. */
  readonly seeds: number
  /** The number of seeds with which each checker has noticed. */
  readonly noticed: ReadonlyMap<string, number>
  /** The checkers that were the only ones to notice in some history. */
  readonly alone: ReadonlySet<string>
  /** The reason why it could not be judged. */
  readonly error: string | undefined
}

/** Nothing is wrong. The checkers must be silent on the very seeds on which they notice mutants. */
const unmutated = (profile: Profile.Name): Mutant => {
  return { name: `none (${profile})`, wrong: "nothing", patches: [], noticedBy: "", profile }
}

/** Runs the seeds of one mutant in a child process. */
const judgeOne = (mutant: Mutant, seeds: number): Effect.Effect<Finding> =>
  Effect.callback<Finding>((resume) => {
    const { noticedBy, patches, profile } = mutant
    const task: Task = { patches, profile, seeds, duration, until: { noticedBy, times: enough } }
    const child = execFile(process.execPath, [program, JSON.stringify(task)], (failure, output, errors) => {
      const histories = output.trim().split("\n").filter((line) => line !== "").map((line) =>
        JSON.parse(line) as ReadonlyArray<string>
      )
      const noticed = new Map<string, number>()
      for (const checker of histories.flat()) noticed.set(checker, (noticed.get(checker) ?? 0) + 1)
      const alone = new Set(histories.flatMap((checkers) => checkers.length === 1 ? checkers : []))
      const error = failure === null ? undefined : errors.trim().slice(-400)
      resume(Effect.succeed({ mutant, seeds: histories.length, noticed, alone, error }))
    })
    return Effect.sync(() => void child.kill())
  })

/** Judges mutants, one child process after another; and then, for each profile, as many seeds without any. */
export const judge = Effect.fnUntraced(function*(
  mutants: ReadonlyArray<Mutant>,
  seeds: number = mostSeeds,
  progress: (line: string) => Effect.Effect<void>
) {
  const needed = new Map<Profile.Name, number>()
  const findings: Array<Finding> = []
  const run = Effect.fnUntraced(function*(mutant: Mutant, seeds: number) {
    const finding = yield* judgeOne(mutant, seeds)
    findings.push(finding)
    needed.set(mutant.profile, Math.max(needed.get(mutant.profile) ?? 0, finding.seeds))
    yield* progress(`${mutant.name}: ${finding.error ?? told(finding)}`)
  })
  for (const mutant of mutants) yield* run(mutant, seeds)
  for (const [profile, seeds] of needed) yield* run(unmutated(profile), seeds)
  return findings
})

const told = ({ noticed, seeds }: Finding): string =>
  noticed.size === 0
    ? `nobody, in ${seeds}`
    : [...noticed].map(([checker, count]) => `${checker} ${count}/${seeds}`).join(", ")

/** What is not as it should be. */
export const problems = (findings: ReadonlyArray<Finding>, complete: boolean): ReadonlyArray<string> => {
  const found: Array<string> = []
  for (const { error, mutant: { name, noticedBy, patches }, noticed, seeds } of findings) {
    if (error !== undefined) found.push(`${name} could not be judged: ${error}`)
    else if (patches.length === 0) {
      for (const checker of noticed.keys()) found.push(`${checker} is not silent though nothing is wrong: ${name}`)
    } else if (!noticed.has(noticedBy)) {
      found.push(`${noticedBy} has not noticed ${name} within ${plural(seeds, "seed")}`)
    }
  }
  if (!complete) return found
  for (const { name } of Checkers.all) {
    if (!findings.some(({ alone }) => alone.has(name))) {
      found.push(`no mutation is noticed by ${name} alone: it is not shown to be needed`)
    }
  }
  return found
}

/** A table for people, in Markdown. */
export const toTable = (findings: ReadonlyArray<Finding>): string =>
  [
    "| mutation | what is wrong | profile | noticed by (of so many seeds) |",
    "|---|---|---|---|",
    ...findings.map((finding) => {
      const { error, mutant: { name, profile, wrong } } = finding
      return `| ${name} | ${wrong} | ${profile} | ${error ?? told(finding)} |`
    })
  ].join("\n")
