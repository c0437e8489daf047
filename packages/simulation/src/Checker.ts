/**
 * Holds a history against a promise. Checkers look at the event log and at the commit-ordered record only, and never call
 * the code that they judge.
 */
import type { Analysis } from "./internal/analysis.ts"

/** A broken promise. */
export interface Violation {
  readonly checker: string
  /** When, in nanoseconds of simulated time. */
  readonly at: number
  /** Whose lane it belongs to, where it is somebody's. */
  readonly who?: string | undefined
  readonly message: string
}

/** See the module. */
export interface Checker {
  readonly name: string
  /** What is promised, in one sentence. */
  readonly promise: string
  readonly check: (analysis: Analysis) => ReadonlyArray<Violation>
}
