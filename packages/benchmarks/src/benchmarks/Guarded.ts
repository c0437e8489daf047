/** The number of guarded transactions, run without a pause, that conflict with the leader's renewals. */
import { Bytes, Subspace, Transaction } from "@effect-fdb/core"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Benchmark } from "../Benchmark.ts"
import { CandidateGroup } from "../harness/CandidateGroup.ts"
import { against, compare } from "../harness/elections.ts"
import type { ElectionUnderTest, Guard } from "../harness/ElectionUnderTest.ts"
import { everything } from "../harness/Testbed.ts"

const counter = Subspace.fromTuple(["work"]).pack(["counter"])
const timing = { lease: Duration.seconds(3), heartbeat: Duration.seconds(1) }

/** Adds one to a counter that no other process writes. */
const increment = Effect.gen(function*() {
  const tx = yield* Transaction
  const stored = yield* tx.get(counter)
  const next = new Uint8Array(8)
  Bytes.writeUint(next, 2, 6, stored === undefined ? 1 : Bytes.readUint(stored, 2, 6) + 1)
  yield* tx.set(counter, next)
})

/** The number of committed guarded transactions and of the leader's conflicts, in `seconds` of virtual time. */
export const measure = (election: ElectionUnderTest, seconds: number) => {
  let committed = 0
  const work = (guard: Guard) => Effect.forever(Effect.tap(guard(increment), () => Effect.sync(() => void committed++)))
  const group = new CandidateGroup({ latencies: everything, election, timing, candidates: 1, work })
  group.testbed.run(seconds)
  return { committed, aborted: group.conflicts }
}

export const guarded: Benchmark = {
  name: "guarded",
  title: "guarded transactions aborted by renewals, of which there is one each second, virtual time",
  against: `${against}, where the guard reads the one record there is`,
  run: ({ quick }) =>
    Effect.sync(() => {
      const seconds = quick ? 60 : 180
      const figure = compare((make) => measure(make(), seconds))
      return [
        figure(`aborted in ${seconds} s`, "transactions", ({ aborted }) => aborted, 0),
        figure("committed", "transactions", ({ committed }) => committed)
      ]
    })
}
