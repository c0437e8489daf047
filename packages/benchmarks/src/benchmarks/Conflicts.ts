/** Transactions that had to be repeated because of a conflict, while a hundred candidates do nothing but be candidates. */
import * as Effect from "effect/Effect"
import type { Benchmark, Figure } from "../Benchmark.ts"
import { type Contest, usual } from "../harness/Contest.ts"
import { against, contests } from "../harness/contests.ts"
import { Field } from "../harness/Field.ts"
import { everything } from "../harness/Testbed.ts"

const candidates = 100
/** In seconds: everybody has registered and somebody leads. */
const settled = 30

/** Without it the baseline's cycles would keep their distances, and whether there are conflicts would be decided once. */
const latencies = { ...everything, lateness: 1 }

/** Conflicts within a span of virtual seconds. */
export const count = (contest: Contest, seconds: number, seed = 1, among = candidates): number => {
  const field = new Field({ seed, latencies, contest, timing: usual, candidates: among })
  field.testbed.run(settled)
  const before = field.conflicts
  field.testbed.run(settled + seconds)
  return field.conflicts - before
}

/** Conflicts in an hour, as it follows from histories of ten minutes. */
const hourly = (make: () => Contest, histories: number): number => {
  let sum = 0
  for (let seed = 1; seed <= histories; seed++) sum += count(make(), 600, seed)
  return sum * 6 / histories
}

export const conflicts: Benchmark = {
  name: "conflicts",
  title: `conflicts in steady state with ${candidates} candidates, 3 ms commits, virtual time`,
  against,
  run: ({ quick }) =>
    Effect.sync((): ReadonlyArray<Figure> => {
      const unit = "conflicts"
      const reach = { atMost: 0 }
      return quick
        ? [{
          name: "in a minute",
          unit,
          here: count(contests.here(), 60),
          baseline: count(contests.baseline(), 60),
          reach
        }]
        // What has none must be looked at for longer than what has some.
        : [{ name: "in an hour", unit, here: hourly(contests.here, 6), baseline: hourly(contests.baseline, 3), reach }]
    })
}
