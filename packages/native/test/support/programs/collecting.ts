/** Commits while the garbage is collected; prints how many failed: `collecting COUNT`. */
import { Database, Subspace, Transaction } from "@effect-fdb/core"
import { NativeDatabase } from "@effect-fdb/native"
import { Effect } from "effect"

const count = Number(process.argv[2])
const key = Subspace.fromTuple(["effect-fdb-test", "processes"]).pack(["key"])
const collect = (globalThis as unknown as { readonly gc: () => void }).gc

const commit = Effect.match(
  Database.transact(Effect.flatMap(Transaction, (tx) => tx.set(key, key))),
  { onFailure: (error) => error.code, onSuccess: () => 0 }
)

const program = Effect.gen(function*() {
  const timer = setInterval(collect, 1)
  const codes = yield* Effect.forEach(Array.from({ length: count }), () => commit, { concurrency: 8 })
  clearInterval(timer)
  return codes.filter((code) => code !== 0)
})

console.log(JSON.stringify(await Effect.runPromise(Effect.provide(program, NativeDatabase.layer()))))
