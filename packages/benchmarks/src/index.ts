/** The benchmarks of this library, and what they are made of. */
export * as Benchmark from "./Benchmark.ts"
export * as Report from "./Report.ts"
export * as Summary from "./Summary.ts"
