/** The CPU time of a process that leads, or follows, one election and a hundred; and of one renewal among a hundred. */
import { ElectionConfig } from "@effect-fdb/leader-election"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Benchmark, Figure } from "../Benchmark.ts"
import * as Candidates from "../processes/Candidates.ts"
import type { Usage } from "../processes/messages.ts"
import * as Renewals from "../processes/Renewals.ts"
import * as Store from "../processes/Store.ts"
import { percentile } from "../Summary.ts"

const heartbeatMillis = 667
const config = new ElectionConfig({
  leaseDuration: Duration.seconds(2),
  heartbeatInterval: Duration.millis(heartbeatMillis)
})

const cpuPerMinute = (from: Usage, to: Usage): number => 60 * (to.cpuMillis - from.cpuMillis) / (to.at - from.at)

/** The first minute of each process, from its first campaign on, and a steady one. The first process leads. */
const measure = Effect.fnUntraced(function*(
  store: Store.Store,
  elections: number,
  seconds: number,
  names: ReadonlyArray<string> = ["leader", "follower"]
) {
  const candidates = yield* Candidates.make({ store, elections, config })
  const begun: Array<Usage> = []
  for (const name of names) {
    begun.push(yield* candidates.begin(name))
    if (begun.length === 1) yield* candidates.allLed
  }
  const read = Effect.andThen(Effect.sleep(`${seconds} seconds`), Effect.forEach(names, candidates.usage))
  const first = yield* read
  const steady = yield* read
  const figures = names.flatMap((name, i): ReadonlyArray<Figure> => {
    const figure = (minute: string, from: Usage, to: Usage, atMost?: number): Figure => ({
      name: `${elections} on ${store.engine}, ${name}, ${minute} minute`,
      unit: "CPU s / minute",
      here: cpuPerMinute(from, to),
      reach: atMost === undefined ? undefined : { atMost }
    })
    const single = elections === 1 ? 0.3 : undefined
    return [figure("first", begun[i]!, first[i]!, single), figure("steady", first[i]!, steady[i]!, single ?? 1)]
  })
  const [from, to] = [first[0]!, steady[0]!]
  return { figures, renewalMicros: 1000 * (to.cpuMillis - from.cpuMillis) / (to.renewed - from.renewed) }
}, Effect.scoped)

/** The CPU time of a commit in a process that makes as many as a leader of a hundred elections, in microseconds. */
const blindCommit = Effect.fnUntraced(function*(store: Store.Store, seconds: number) {
  const reports = yield* Renewals.begin({ store, keys: 100, heartbeatMillis })
  yield* Effect.sleep(`${seconds} seconds`)
  const from = reports.at(-1)!
  yield* Effect.sleep(`${seconds} seconds`)
  const to = reports.at(-1)!
  return 1000 * (to.cpuMillis - from.cpuMillis) / (to.commits - from.commits)
}, Effect.scoped)

export const hundred: Benchmark = {
  name: "hundred",
  title: "CPU of a process that leads, and of one that follows, 1 and 100 elections; lease 2 s, heartbeat 0.67 s",
  against: "a blind commit at the same pace; on a cluster, by the bare binding",
  betweenProcesses: true,
  run: ({ engine, quick }) =>
    Store.use(engine, {}, (store) =>
      Effect.gen(function*() {
        const seconds = quick ? 5 : 60
        const one = yield* measure(store, 1, seconds)
        const { figures, renewalMicros } = yield* measure(store, 100, seconds)
        const inMemory = yield* measure({ engine: "memory" }, 100, seconds, ["leader"])
        const blind = yield* blindCommit(store, seconds / 3)
        const commit = percentile(yield* Candidates.blindCommits(100), 0.5)
        return [
          ...[one, { figures }, inMemory].flatMap(({ figures }) => figures),
          { name: "a renewal of one among 100", unit: "µs", here: renewalMicros, baseline: blind },
          {
            name: "a renewal, over a blind commit",
            unit: "times",
            here: renewalMicros / blind,
            reach: { atMost: 0.15 }
          },
          { name: "a commit beside it, p50", unit: "ms", here: commit }
        ]
      }))
}
