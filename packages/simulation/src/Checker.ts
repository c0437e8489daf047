/** A checker decides whether a history violates one guarantee. It reads the event log and the commits, and calls no code that it checks. */
import type { Analysis } from "./internal/analysis.ts"

/** A violated guarantee. */
export interface Violation {
  readonly checker: string
  /** When, in nanoseconds of simulated time. */
  readonly at: number
  /** The process that violated it, if it was one. */
  readonly who?: string | undefined
  readonly message: string
}

export interface Checker {
  readonly name: string
  /** The guarantee, in one sentence. */
  readonly promise: string
  readonly check: (analysis: Analysis) => ReadonlyArray<Violation>
}

/** A checker that yields when, who and what of each violation. */
export const make = (
  name: string,
  promise: string,
  find: (analysis: Analysis) => Iterable<readonly [at: number, who: string | undefined, message: string]>
): Checker => ({
  name,
  promise,
  check: (analysis) => Array.from(find(analysis), ([at, who, message]) => ({ checker: name, at, who, message }))
})
