import { Bytes, Database, Transaction } from "@effect-fdb/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import builtin from "node:fs"
import { syncBuiltinESMExports } from "node:module"
import * as path from "node:path"
import { LmdbDatabase } from "../src/index.ts"
import { temporaryDirectory } from "./support/processes.ts"

const key = Bytes.fromString("key")
const commit = Database.transact(Transaction.use((tx) => tx.set(key, key)))

const use = (options: LmdbDatabase.Options) => Effect.provide(commit, LmdbDatabase.layer(options), { local: true })

const refusal = (options: LmdbDatabase.Options) =>
  Effect.map(
    Effect.flip(Effect.scoped(LmdbDatabase.make(options))),
    (error) => error._tag === "CannotOpen" ? error.reason : error._tag
  )

const withUmask = (umask: number) => <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.acquireUseRelease(
    Effect.sync(() => process.umask(umask)),
    () => effect,
    (before) => Effect.sync(() => process.umask(before))
  )

const replaceBuiltin = (functions: Partial<typeof fs>): void => {
  Object.assign(builtin, functions)
  syncBuiltinESMExports()
}

/** A parent directory, and where a database may be made in it. */
const place = Effect.map(temporaryDirectory, (parent) => ({ parent, directory: path.join(parent, "database") }))

const modeOf = (file: string): string => (fs.statSync(file).mode & 0o7777).toString(8)

/** The modes of a directory and everything in it. */
const modes = (directory: string): { readonly [name: string]: string } =>
  Object.fromEntries([
    [".", modeOf(directory)],
    ...fs.readdirSync(directory, { recursive: true, encoding: "utf8" }).map((name) => [
      name,
      modeOf(path.join(directory, name))
    ])
  ])

const allWith = (directory: string, file: string) => ({
  ".": directory,
  gate: directory,
  witness: "700",
  "data.mdb": file,
  "lock.mdb": file,
  "gate/committers.mdb": file,
  "gate/committers.mdb-lock": file,
  "gate/openers.mdb": file,
  "gate/openers.mdb-lock": file
})

describe.skipIf(process.platform === "win32")("a database that is made", () => {
  for (const umask of [0o000, 0o022, 0o077, 0o177]) {
    it.live(`is its owner's alone, with umask ${umask.toString(8)}`, () =>
      Effect.gen(function*() {
        const { directory } = yield* place
        yield* withUmask(umask)(use({ path: directory }))
        assert.deepStrictEqual(modes(directory), allWith("700", "600"))
      }))

    it.live(`is its group's if it is to be, with umask ${umask.toString(8)}`, () =>
      Effect.gen(function*() {
        const { directory } = yield* place
        yield* withUmask(umask)(use({ path: directory, access: "group" }))
        assert.deepStrictEqual(modes(directory), allWith("2770", "660"))
      }))
  }

  it.live("is open to nobody else while it is being made", () =>
    Effect.gen(function*() {
      const { directory } = yield* place
      fs.mkdirSync(directory)
      fs.chmodSync(directory, 0o777)
      const original = { ...builtin }
      const before: Array<number> = []
      yield* Effect.addFinalizer(() => Effect.sync(() => replaceBuiltin({ chmodSync: original.chmodSync })))
      replaceBuiltin({
        chmodSync: (file, mode) => {
          before.push(fs.statSync(file).mode & fs.statSync(path.dirname(String(file))).mode & 0o077)
          original.chmodSync(file, mode)
        }
      })
      yield* withUmask(0)(use({ path: directory }))
      assert.isAbove(before.length, 3)
      assert.deepStrictEqual(before, before.map(() => 0))
    }))

  it.live("in a directory that is there leaves that as it is", () =>
    Effect.gen(function*() {
      const { directory } = yield* place
      fs.mkdirSync(directory)
      fs.chmodSync(directory, 0o755)
      yield* use({ path: directory })
      assert.deepStrictEqual(modes(directory), { ...allWith("700", "600"), ".": "755" })
    }))
})

describe.skipIf(process.platform === "win32")("a database that is there", () => {
  it.live("keeps its modes, and files that were missing get those of its data, whatever is asked for", () =>
    Effect.gen(function*() {
      for (const [file, below] of [[0o644, "755"], [0o660, "2770"], [0o600, "700"]] as const) {
        const { directory } = yield* place
        yield* use({ path: directory })
        fs.chmodSync(path.join(directory, "data.mdb"), file)
        fs.rmSync(path.join(directory, "lock.mdb"))
        fs.rmSync(path.join(directory, "gate"), { recursive: true })
        yield* withUmask(0o077)(use({ path: directory, access: "group" }))
        assert.deepStrictEqual(modes(directory), {
          ...allWith(below, file.toString(8)),
          ".": "700"
        })
      }
    }))
})

/** Root becomes somebody else for a while. */
const as = (uid: number, gid: number) => <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      process.setgroups!([])
      process.setegid!(gid)
      process.seteuid!(uid)
    }),
    () => effect,
    () =>
      Effect.sync(() => {
        process.seteuid!(0)
        process.setegid!(0)
      })
  )

describe.skipIf(process.geteuid?.() !== 0)("several users", () => {
  it.live("of a group share a database whose parent has its group, whoever has made it; others are refused", () =>
    Effect.gen(function*() {
      const group = 4242
      const { directory, parent } = yield* place
      fs.chownSync(parent, 0, group)
      fs.chmodSync(parent, 0o2775)
      const options: LmdbDatabase.Options = { path: directory, access: "group" }
      yield* as(1001, group)(use(options))
      yield* as(1002, group)(use(options))
      assert.strictEqual(fs.statSync(path.join(directory, "gate", "openers.mdb")).gid, group)
      assert.strictEqual(yield* as(1003, 4243)(refusal(options)), "not-writable")
      // What root makes anew is theirs.
      fs.rmSync(path.join(directory, "lock.mdb"))
      yield* use({ path: directory })
      const { gid, uid } = fs.statSync(path.join(directory, "lock.mdb"))
      assert.deepStrictEqual([uid, gid], [1001, group])
      yield* as(1002, group)(use(options))
    }))

  it.live("do not share a database by default", () =>
    Effect.gen(function*() {
      const { directory, parent } = yield* place
      fs.chmodSync(parent, 0o777)
      yield* as(1001, 4242)(use({ path: directory }))
      assert.strictEqual(yield* as(1002, 4242)(refusal({ path: directory })), "not-writable")
    }))
})
