/** What a benchmark is, and what it tells. */
import type * as Effect from "effect/Effect"
import type { EngineChoice } from "./processes/Store.ts"

/** What is to be reached. */
export type Reach = { readonly atMost: number } | { readonly atLeast: number }

/** One measured figure. */
export interface Figure {
  /** What was measured, as in `p99`. */
  readonly name: string
  readonly unit: string
  readonly here: number
  /** The same for the benchmark's baseline, in the same run. */
  readonly baseline?: number | undefined
  readonly reach?: Reach | undefined
}

/** On what is measured, and how much: `quick` is enough to see that all is well, and not to quote. */
export interface Scale {
  readonly quick: boolean
  /** What the benchmarks between real processes run on. */
  readonly engine: EngineChoice
}

/** See the module. */
export interface Benchmark {
  /** As it is chosen by. */
  readonly name: string
  /** What it measures, in a sentence. */
  readonly title: string
  /** What its baseline is, where it has one. */
  readonly against?: string | undefined
  /** It runs between real processes, on the engine that was chosen. */
  readonly betweenProcesses?: true
  readonly run: (scale: Scale) => Effect.Effect<ReadonlyArray<Figure>, Error>
}

/** The figures of one benchmark, and how long they took. */
export interface Outcome {
  readonly benchmark: Benchmark
  readonly figures: ReadonlyArray<Figure>
  readonly seconds: number
}

/** Whether what was to be reached is reached; `undefined` where nothing was. */
export const isReached = ({ here, reach }: Figure): boolean | undefined =>
  reach === undefined ? undefined : "atMost" in reach ? here <= reach.atMost : here >= reach.atLeast
