/** A checker decides whether a history violates one guarantee. It reads the event log and the commits, and calls no code that it checks. */
import type { Analysis } from "./internal/analysis.ts"
import type { Scenario } from "./Scenario.ts"

/** A violated guarantee. */
export interface Violation {
  readonly checker: string
  /** When, in nanoseconds of simulated time. */
  readonly at: number
  /** The process that violated it, if it was one. */
  readonly who?: string | undefined
  readonly message: string
  /** Where there are several, the election in which it is violated. */
  readonly election?: string | undefined
}

export interface Checker {
  readonly name: string
  /** The guarantee, in one sentence. */
  readonly promise: string
  readonly check: (elections: ReadonlyArray<Analysis>) => ReadonlyArray<Violation>
}

/** When, who and what of each violation. */
type Found = Iterable<readonly [at: number, who: string | undefined, message: string]>

/** A checker that judges each election by itself. */
export const make = (name: string, promise: string, find: (analysis: Analysis) => Found): Checker => ({
  name,
  promise,
  check: (elections) =>
    elections.flatMap((analysis) => {
      const { name: election } = analysis.election
      const prefix = election === undefined ? "" : `${election}: `
      return Array.from(find(analysis), ([at, who, message]) => {
        return { checker: name, at, who, message: prefix + message, election }
      })
    })
})

/** A checker that judges together the elections of what the processes take part in. */
export const makeForAll = (
  name: string,
  promise: string,
  of: NonNullable<Scenario["elections"]>["as"],
  find: (elections: ReadonlyArray<Analysis>) => Found
): Checker => ({
  name,
  promise,
  check: (elections) =>
    elections[0]?.history.scenario.elections?.as === of
      ? Array.from(find(elections), ([at, who, message]) => ({ checker: name, at, who, message }))
      : []
})
