import { Bytes, Database, Transaction } from "@effect-fdb/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { LmdbDatabase } from "../src/index.ts"
import * as layout from "../src/internal/layout.ts"
import type { Root } from "../src/internal/rootDatabase.ts"
import { exited, message, start, temporaryDirectory } from "./support/processes.ts"

const key = Bytes.fromString("key")
const set = Database.transact(Transaction.use((tx) => tx.set(key, key)))
const get = Database.transact(Transaction.use((tx) => tx.get(key)))

const opened = <A, E>(directory: string, effect: Effect.Effect<A, E, Database>) =>
  Effect.provide(effect, LmdbDatabase.layer({ path: directory, durability: "process" }), { local: true })

const withLmdb = <A>(directory: string, use: (root: Root) => A) =>
  Effect.promise(async () => {
    const { open } = await import("lmdb")
    const root = open<Uint8Array, Uint8Array>({
      path: directory,
      noSubdir: false,
      encoding: "binary",
      keyEncoding: "binary",
      overlappingSync: false,
      maxReaders: 2048
    })
    const result = use(root)
    await root.close()
    return result
  })

const found = (directory: string) =>
  withLmdb(directory, (root) => ({
    format: root.getBinary(layout.formatKey)?.toString(),
    identity: root.getBinary(layout.identityKey)?.toString("hex")
  }))

/** A database in the layout before, which some earlier versions have given random bytes of its own. */
const earlier = Effect.fnUntraced(function*(identity?: Uint8Array) {
  const directory = yield* temporaryDirectory
  yield* opened(directory, set)
  yield* withLmdb(directory, (root) => {
    root.putSync(layout.formatKey, Buffer.from(layout.formatBefore))
    if (identity === undefined) root.removeSync(layout.identityKey)
    else root.putSync(layout.identityKey, identity)
  })
  return directory
})

describe("a database in the layout of an earlier version", () => {
  for (const identity of [undefined, new Uint8Array(16).fill(7)]) {
    it.live(`is brought up to date when it is opened, with all that it holds (${identity ?? "nameless"})`, () =>
      Effect.gen(function*() {
        const directory = yield* earlier(identity)
        assert.deepStrictEqual(yield* opened(directory, get), key)
        const after = yield* found(directory)
        assert.strictEqual(after.format, layout.format)
        assert.match(after.identity!, /^[\da-f]{32}$/)
        if (identity !== undefined) assert.strictEqual(after.identity, Buffer.from(identity).toString("hex"))
        yield* opened(directory, set)
        assert.deepStrictEqual(yield* found(directory), after)
      }))
  }

  it.live("is refused and left as it is while processes have it open that go by that layout", () =>
    Effect.gen(function*() {
      const directory = yield* earlier()
      const before = yield* found(directory)
      const others = yield* Effect.all([start("earlier.mjs", directory), start("earlier.mjs", directory)])
      for (const other of others) assert.strictEqual(yield* message(other), layout.formatBefore)
      const refused = Effect.flip(Effect.scoped(LmdbDatabase.make({ path: directory })))
      for (const other of others) {
        const error = yield* refused
        assert.isTrue(error._tag === "CannotOpen" && error.reason === "outdated", error.message)
        assert.include(error.message, String(other.pid))
        assert.include(error.message, "End these processes")
        other.kill("SIGKILL")
        yield* exited(other)
      }
      assert.deepStrictEqual(yield* found(directory), before)
      assert.deepStrictEqual(yield* opened(directory, get), key)
    }))

  it.live(
    "is brought up to date by one of several processes that open it at the same time",
    () =>
      Effect.gen(function*() {
        const directory = yield* earlier()
        const children = yield* Effect.all(Array.from({ length: 3 }, () => start("revolving.mjs", directory, "3")))
        for (const child of children) assert.strictEqual(yield* exited(child), 0)
        assert.strictEqual((yield* found(directory)).format, layout.format)
      })
  )
})
