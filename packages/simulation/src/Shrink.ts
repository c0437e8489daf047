/** Minimises a scenario that violates a guarantee: a shorter duration, fewer faults and processes, default values for the rest. */
import * as Checkers from "./Checkers.ts"
import type { FaultRates } from "./FaultRates.ts"
import type { Fault, ProcessPlan, Scenario } from "./Scenario.ts"
import * as Simulation from "./Simulation.ts"

type Fails = (scenario: Scenario) => boolean

/** Whether a scenario violates the guarantee of a checker. */
export const breaks = (checker: string, options: Simulation.Options = {}): Fails => (scenario) =>
  Checkers.check(Simulation.run(scenario, options)).some((violation) => violation.checker === checker)

/** Removes items while the rest still fails: first one half at a time, then smaller parts. */
const without = <A>(items: ReadonlyArray<A>, fails: (rest: ReadonlyArray<A>) => boolean): ReadonlyArray<A> => {
  let rest = items
  for (let size = Math.ceil(rest.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < rest.length;) {
      const fewer = [...rest.slice(0, at), ...rest.slice(at + size)]
      if (fails(fewer)) rest = fewer
      else at += size
    }
  }
  return rest
}

/** The largest number of scenarios that a minimisation runs. */
const mostAttempts = 400

/** Each sets one property of a process to its default. */
const defaults: ReadonlyArray<(process: ProcessPlan) => Partial<ProcessPlan>> = [
  () => ({ margin: undefined }),
  () => ({ drift: 0 }),
  () => ({ wallOffset: 0 }),
  () => ({ priority: 0 }),
  ({ starts }) => ({ starts: Math.round(starts) }),
  ({ work }) => ({ work: { ...work, lasts: undefined } })
]

/** Removes the faults of storms, one at a time. */
const withoutRates = (faults: ReadonlyArray<Fault>, attempt: (faults: ReadonlyArray<Fault>) => boolean): void => {
  let current = faults
  faults.forEach((fault, index) => {
    if (fault.kind !== "storm") return
    let { rates } = fault
    for (const rate of Object.keys(rates) as Array<keyof FaultRates>) {
      const { [rate]: _, ...less } = rates
      const next = current.with(index, { ...fault, rates: less })
      if (!attempt(next)) continue
      rates = less
      current = next
    }
  })
}

/** Returns the smallest scenario found. The history ends at the violation, at `seconds`: nothing later matters. */
export const shrink = (scenario: Scenario, fails: Fails, seconds: number): Scenario => {
  let smallest = scenario
  let left = mostAttempts
  const attempt = (candidate: Scenario): boolean => {
    if (left-- <= 0 || !fails(candidate)) return false
    smallest = candidate
    return true
  }
  const end = Math.ceil(seconds) + 5
  if (end < scenario.duration) {
    const faults = scenario.faults.filter(({ at }) => at <= seconds)
    attempt({ ...scenario, duration: end, quietAt: Math.min(scenario.quietAt, end), faults })
  }
  without(smallest.faults, (faults) => attempt({ ...smallest, faults }))
  without(smallest.processes, (processes) => processes.length > 0 && attempt({ ...smallest, processes }))
  for (const simplify of defaults) {
    attempt({ ...smallest, processes: smallest.processes.map((process) => ({ ...process, ...simplify(process) })) })
  }
  withoutRates(smallest.faults, (faults) => attempt({ ...smallest, faults }))
  return smallest
}

const literal = (value: unknown): string => {
  if (Array.isArray(value)) return value.length === 0 ? "[]" : `[${value.map(literal).join(", ")}]`
  if (typeof value !== "object" || value === null) return JSON.stringify(value)
  const fields = Object.entries(value).filter(([, field]) => field !== undefined)
  return `{ ${fields.map(([name, field]) => `${name}: ${literal(field)}`).join(", ")} }`
}

/** A scenario as TypeScript, one process or fault in each line. */
export const toSource = (scenario: Scenario): string => {
  const list = (value: unknown) =>
    Array.isArray(value) && value.length > 0 ? `[\n    ${value.map(literal).join(",\n    ")}\n  ]` : literal(value)
  return `{\n${Object.entries(scenario).map(([name, value]) => `  ${name}: ${list(value)}`).join(",\n")}\n}`
}

/** A scenario as a test to paste. */
export const toTest = (scenario: Scenario, checker: string): string =>
  [
    `import { Checkers, Simulation } from "@effect-fdb/simulation"`,
    `import { assert, it } from "@effect/vitest"`,
    "",
    `it("${scenario.profile}, seed ${scenario.seed}: ${checker}", () => {`,
    `  const history = Simulation.run(${toSource(scenario).replaceAll("\n", "\n  ")})`,
    `  assert.deepStrictEqual(Checkers.check(history), [])`,
    `})`
  ].join("\n")
