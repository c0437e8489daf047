/**
 * Re-arms a watch again and again and prints how many bytes of memory a round costs: `memory KIND ROUNDS`. The watch is
 * cancelled with its scope, or fires; `read` is a transaction without a watch, for comparison.
 */
import { Database, Subspace, Transaction } from "@effect-fdb/core"
import { NativeDatabase } from "@effect-fdb/native"
import { Effect } from "effect"

const [kind, count] = process.argv.slice(2)
const rounds = Number(count)
const key = Subspace.fromTuple(["effect-fdb-test", "processes"]).pack(["key"])
const collect = (globalThis as unknown as { readonly gc: () => void }).gc

const arm = Database.transact(Effect.flatMap(Transaction, (tx) => tx.watch(key)))
const write = (value: number) =>
  Database.transact(Effect.flatMap(Transaction, (tx) => tx.set(key, Uint8Array.of(value, value >> 8, value >> 16))))

const kinds: Record<string, (round: number) => Effect.Effect<unknown, unknown, Database>> = {
  read: () => Database.transact(Effect.flatMap(Transaction, (tx) => tx.get(key))),
  cancelled: () => Effect.scoped(arm),
  fired: (round) => Effect.scoped(Effect.flatMap(arm, (fired) => Effect.andThen(write(round), fired)))
}

const measure = Effect.gen(function*() {
  for (let i = 0; i < 5; i++) {
    collect()
    yield* Effect.sleep("20 millis")
  }
  const { external, heapUsed, rss } = process.memoryUsage()
  return { external, heapUsed, rss }
})

const program = Effect.gen(function*() {
  const round = kinds[kind!]!
  for (let i = 0; i < rounds / 2; i++) yield* round(i)
  const before = yield* measure
  for (let i = 0; i < rounds; i++) yield* round(i)
  const after = yield* measure
  const perRound = (name: keyof typeof after) => Math.round((after[name] - before[name]) / rounds * 10) / 10
  return { kind, rounds, rss: perRound("rss"), heapUsed: perRound("heapUsed"), external: perRound("external") }
})

console.log(JSON.stringify(await Effect.runPromise(Effect.provide(program, NativeDatabase.layer()))))
