/** The interface of a benchmark, and its results. */
import type * as Effect from "effect/Effect"
import type { Peer } from "./processes/Peers.ts"
import type { EngineChoice } from "./processes/Store.ts"

/** The goal of a figure. */
export type Reach = { readonly atMost: number } | { readonly atLeast: number }

/** One measured figure. */
export interface Figure {
  readonly name: string
  readonly unit: string
  readonly here: number
  /** The figure of the baseline in the same run. */
  readonly baseline?: number | undefined
  readonly reach?: Reach | undefined
}

/** The extent of a run. Results of `quick` show that all works; do not quote them. */
export interface Scale {
  readonly quick: boolean
  /** The engine of the benchmarks between real processes. */
  readonly engine: EngineChoice
  /** Other leader elections to measure beside. */
  readonly peers: ReadonlyArray<Peer>
}

export interface Benchmark {
  readonly name: string
  readonly title: string
  /** The baseline, if there is one. */
  readonly against?: string | undefined
  /** Set if it runs between real processes, on the chosen engine. */
  readonly betweenProcesses?: true
  /** Set if it takes so long that it runs only where it is named. */
  readonly onlyByName?: true
  readonly run: (scale: Scale) => Effect.Effect<ReadonlyArray<Figure>, Error>
}

export interface Outcome {
  readonly benchmark: Benchmark
  readonly figures: ReadonlyArray<Figure>
  readonly seconds: number
}

/** Whether the goal is reached; `undefined` without a goal. */
export const isReached = ({ here, reach }: Figure): boolean | undefined =>
  reach === undefined ? undefined : "atMost" in reach ? here <= reach.atMost : here >= reach.atLeast
