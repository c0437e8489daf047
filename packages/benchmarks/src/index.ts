/** The benchmarks of this library. */
export * as Benchmark from "./Benchmark.ts"
export * as Report from "./Report.ts"
export * as Summary from "./Summary.ts"
