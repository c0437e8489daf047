/** All benchmarks, in the order of the table. */
import type { Benchmark } from "./Benchmark.ts"
import { commits } from "./benchmarks/Commits.ts"
import { conflicts } from "./benchmarks/Conflicts.ts"
import { cpu } from "./benchmarks/Cpu.ts"
import { crash } from "./benchmarks/Crash.ts"
import { elections } from "./benchmarks/Elections.ts"
import { failover } from "./benchmarks/Failover.ts"
import { guarded } from "./benchmarks/Guarded.ts"
import { handover } from "./benchmarks/Handover.ts"
import { large } from "./benchmarks/Large.ts"
import { resignation } from "./benchmarks/Resignation.ts"
import { roundTrips } from "./benchmarks/RoundTrips.ts"
import { simulatedTime } from "./benchmarks/SimulatedTime.ts"

export const benchmarks: ReadonlyArray<Benchmark> = [
  roundTrips,
  conflicts,
  resignation,
  failover,
  guarded,
  cpu,
  simulatedTime,
  handover,
  crash,
  elections,
  commits,
  large
]
