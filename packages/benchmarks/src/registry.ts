/** All benchmarks, in the order of the table. */
import type { Benchmark } from "./Benchmark.ts"
import { commits } from "./benchmarks/Commits.ts"
import { conflicts } from "./benchmarks/Conflicts.ts"
import { cpu } from "./benchmarks/Cpu.ts"
import { crash } from "./benchmarks/Crash.ts"
import { failover } from "./benchmarks/Failover.ts"
import { disturbed } from "./benchmarks/Grouped.ts"
import { guarded } from "./benchmarks/Guarded.ts"
import { handover } from "./benchmarks/Handover.ts"
import { hundred } from "./benchmarks/Hundred.ts"
import { large } from "./benchmarks/Large.ts"
import { manyLed, rush } from "./benchmarks/ManyLed.ts"
import { resignation } from "./benchmarks/Resignation.ts"
import { roundTrips } from "./benchmarks/RoundTrips.ts"
import { overlaps, run } from "./benchmarks/Run.ts"
import { shards } from "./benchmarks/Shards.ts"
import { simulatedTime } from "./benchmarks/SimulatedTime.ts"
import { witness } from "./benchmarks/WitnessCost.ts"

export const benchmarks: ReadonlyArray<Benchmark> = [
  roundTrips,
  conflicts,
  resignation,
  failover,
  guarded,
  disturbed,
  cpu,
  manyLed,
  simulatedTime,
  handover,
  crash,
  run,
  overlaps,
  witness,
  hundred,
  rush,
  shards,
  commits,
  large
]
