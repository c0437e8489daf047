/** A process that ends with operations under way: `ending KIND COUNT END`. */
import { Database, Subspace, Transaction } from "@effect-fdb/core"
import { NativeDatabase } from "@effect-fdb/native"
import { Effect } from "effect"

const [kind, count, end] = process.argv.slice(2)
const key = Subspace.fromTuple(["effect-fdb-test", "processes"]).pack(["key"])

const read = Database.transact(Effect.flatMap(Transaction, (tx) => tx.get(key)))
const commit = Database.transact(Effect.flatMap(Transaction, (tx) => tx.set(key, key)))
const watch = Effect.scoped(
  Effect.flatten(Database.transact(Effect.flatMap(Transaction, (tx) => tx.watch(key))))
)
const work: Effect.Effect<unknown, unknown, Database> = { read, commit, watch }[kind!]!

/** The main thread is busy, so completions pile up in front of it. */
const beBusy = (millis: number): void => {
  const until = Date.now() + millis
  while (Date.now() < until);
}

const program = Effect.gen(function*() {
  for (let i = 0; i < Number(count); i++) yield* Effect.forkChild(work, { startImmediately: true })
  if (kind === "watch") yield* Effect.sleep("200 millis")
  beBusy(100)
  switch (end) {
    case "exit":
      return process.exit(7)
    case "throw":
      setImmediate(() => {
        throw new Error("nobody catches this")
      })
      return yield* Effect.never
    case "close":
      process.exitCode = 5
      return
  }
})

await Effect.runPromise(Effect.provide(program, NativeDatabase.layer({ connectTimeout: "Infinity" })))
