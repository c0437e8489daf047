/** The CPU time of a process that leads or follows a hundred elections. */
import { ElectionConfig } from "@effect-fdb/leader-election"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Benchmark } from "../Benchmark.ts"
import * as Candidates from "../processes/Candidates.ts"
import * as Store from "../processes/Store.ts"
import { percentile } from "../Summary.ts"

const [leader, follower] = ["ada", "bea"] as const

const cpuMillis = Effect.fnUntraced(function*(candidates: Candidates.Candidates, who: string) {
  yield* candidates.tell(who)
  while (true) {
    const report = yield* candidates.next("the CPU time of a candidate")
    if (report.kind === "used") return report.cpuMillis
  }
})

/** CPU seconds per minute of a process that leads the elections, and of one that follows them. */
const measure = Effect.fnUntraced(function*(store: Store.Store, elections: number, seconds: number) {
  const config = new ElectionConfig({ leaseDuration: Duration.seconds(2), heartbeatInterval: Duration.millis(667) })
  const candidates = yield* Candidates.make({ store, names: [leader, follower], elections, config })
  yield* candidates.start(leader)
  for (let led = 0; led < elections;) {
    if ((yield* candidates.next("leaderships")).kind === "works") led++
  }
  yield* candidates.start(follower)
  // The first seconds include compilation.
  yield* Effect.sleep("15 seconds")
  const read = Effect.all([cpuMillis(candidates, leader), cpuMillis(candidates, follower), Clock.monotonicTimeNanos])
  const [ledBefore, followedBefore, begun] = yield* read
  yield* Effect.sleep(`${seconds} seconds`)
  const [led, followed, ended] = yield* read
  const minutes = Number(ended - begun) / 60e9
  return { led: (led - ledBefore) / 1000 / minutes, followed: (followed - followedBefore) / 1000 / minutes }
})

export const elections: Benchmark = {
  name: "elections",
  title: "CPU of a process that leads, and of one that follows, 1 and 100 elections; lease 2 s, heartbeat 0.67 s",
  betweenProcesses: true,
  run: ({ engine, quick }) =>
    Store.use(engine, "disk", (store) =>
      Effect.gen(function*() {
        const seconds = quick ? 5 : 30
        const one = yield* Effect.scoped(measure(store, 1, seconds))
        const hundred = yield* Effect.scoped(measure(store, 100, seconds))
        const commit = percentile(yield* Candidates.blindCommits(100), 0.5)
        const unit = "CPU s / minute"
        return [
          { name: "1 election, led", unit, here: one.led },
          { name: "1 election, followed", unit, here: one.followed },
          { name: "100 elections, led", unit, here: hundred.led },
          { name: "100 elections, followed", unit, here: hundred.followed },
          { name: "a commit beside it, p50", unit: "ms", here: commit }
        ]
      }))
}
