import { Bytes, Database, type FdbError, Transaction } from "@effect-fdb/core"
import { databaseReplaced } from "@effect-fdb/core/FdbError"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { execFileSync, spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { LmdbDatabase } from "../src/index.ts"
import { openEnvironment } from "../src/internal/openEnvironment.ts"
import * as sharedEnvironments from "../src/internal/sharedEnvironments.ts"
import { message, start, temporaryDirectory } from "./support/processes.ts"
import { isCommitting } from "./support/waiting.ts"

const key = Bytes.fromString("key")
const watched = Bytes.fromString("watched")
const set = (text: string) => Database.transact(Transaction.use((tx) => tx.set(key, Bytes.fromString(text))))
const get = Database.transact(Transaction.use((tx) => tx.get(key)))

const canMount = spawnSync("unshare", ["--mount", "true"]).status === 0

/** Where a database may be, and what may be there beside it. */
interface Place {
  /** The path that is opened. */
  readonly directory: string
  /** A copy of the database in an earlier state. */
  readonly backup: string
  /** Another database. */
  readonly other: string
  readonly root: string
}

const makePlace = Effect.gen(function*() {
  const root = yield* temporaryDirectory
  const parent = path.join(root, "parent")
  fs.mkdirSync(parent)
  const place: Place = {
    root,
    directory: path.join(parent, "database"),
    backup: path.join(root, "backup"),
    other: path.join(root, "other")
  }
  yield* Effect.provide(set("earlier"), LmdbDatabase.layer({ path: place.directory }), { local: true })
  fs.cpSync(place.directory, place.backup, { recursive: true })
  const others = Effect.andThen(set("1"), Effect.andThen(set("2"), Effect.andThen(set("3"), set("4"))))
  yield* Effect.provide(others, LmdbDatabase.layer({ path: place.other }), { local: true })
  return place
})

const file = (name: string) => ({ directory }: Place) => path.join(directory, name)

const ways: { readonly [way: string]: (place: Place) => void } = {
  "the directory is removed": ({ directory }) => fs.rmSync(directory, { recursive: true }),
  "the directory is moved away": ({ directory, root }) => fs.renameSync(directory, path.join(root, "away")),
  "the directory's parent is moved away": ({ directory, root }) =>
    fs.renameSync(path.dirname(directory), path.join(root, "away")),
  "another database is moved to its place": ({ directory, other, root }) => {
    fs.renameSync(directory, path.join(root, "away"))
    fs.renameSync(other, directory)
  },
  "a copy of it is moved to its place": ({ backup, directory, root }) => {
    fs.renameSync(directory, path.join(root, "away"))
    fs.renameSync(backup, directory)
  },
  "an empty directory takes its place": ({ directory, root }) => {
    fs.renameSync(directory, path.join(root, "away"))
    fs.mkdirSync(directory)
  },
  "a symbolic link takes its place": ({ directory, other, root }) => {
    fs.renameSync(directory, path.join(root, "away"))
    fs.symlinkSync(other, directory)
  },
  "a file takes its parent's place": ({ directory, root }) => {
    fs.renameSync(path.dirname(directory), path.join(root, "away"))
    fs.writeFileSync(path.dirname(directory), "")
  },
  "data.mdb is removed": (place) => fs.rmSync(file("data.mdb")(place)),
  "data.mdb is moved away, within its directory": (place) =>
    fs.renameSync(file("data.mdb")(place), file("data.old")(place)),
  "a copy of data.mdb is moved over it": (place) => {
    fs.copyFileSync(file("data.mdb")(place), file("copy")(place))
    fs.renameSync(file("copy")(place), file("data.mdb")(place))
  },
  "lock.mdb is removed": (place) => fs.rmSync(file("lock.mdb")(place)),
  "lock.mdb is removed and made anew": (place) => {
    const size = fs.statSync(file("lock.mdb")(place)).size
    fs.rmSync(file("lock.mdb")(place))
    fs.writeFileSync(file("lock.mdb")(place), Buffer.alloc(size))
  },
  "the gate is removed": (place) => fs.rmSync(file("gate")(place), { recursive: true }),
  "a file of the gate is removed": (place) => fs.rmSync(file("gate/openers.mdb")(place)),
  "a lock file of the gate is removed": (place) => fs.rmSync(file("gate/committers.mdb-lock")(place)),
  "an earlier copy is written over data.mdb": ({ backup, directory }) =>
    fs.writeFileSync(path.join(directory, "data.mdb"), fs.readFileSync(path.join(backup, "data.mdb")), { flag: "r+" }),
  "another database is written over data.mdb": ({ directory, other }) =>
    fs.writeFileSync(path.join(directory, "data.mdb"), fs.readFileSync(path.join(other, "data.mdb")), { flag: "r+" }),
  "data.mdb is cut off": (place) => fs.truncateSync(file("data.mdb")(place), 4096)
}

const isReplaced = (error: FdbError) => error.code === databaseReplaced

/** Uses a database, replaces it, and checks that nothing can be done with it any more. */
const checkReplaced = (place: Place, replace: (place: Place) => void) =>
  Effect.gen(function*() {
    yield* set("now")
    const opened = fs.openSync(path.join(place.directory, "data.mdb"), "r")
    const { fired } = yield* Database.transact(
      Effect.map(Transaction.use((tx) => tx.watch(watched)), (fired) => ({ fired }))
    )
    const watching = yield* Effect.forkChild(Effect.flip(fired))
    replace(place)
    const before = fs.fstatSync(opened).mtimeMs
    const failedWatch = yield* Fiber.join(watching)
    assert.isTrue(isReplaced(failedWatch), failedWatch.message)
    assert.include(failedWatch.message, "Stop all processes that use /")
    const failedCommit = yield* Effect.flip(set("later"))
    assert.isTrue(isReplaced(failedCommit), failedCommit.message)
    assert.isFalse(failedCommit.maybeCommitted)
    assert.isFalse(failedCommit.retryable)
    assert.isTrue(isReplaced(yield* Effect.flip(get)))
    assert.strictEqual(fs.fstatSync(opened).mtimeMs, before)
    fs.closeSync(opened)
  }).pipe(Effect.scoped, Effect.provide(LmdbDatabase.layer({ path: place.directory }), { local: true }))

describe("a database that is replaced while it is open fails watches, commits and reads, and is written to no more", () => {
  for (const [way, replace] of Object.entries(ways)) {
    it.live(way, () => Effect.flatMap(makePlace, (place) => checkReplaced(place, replace)))
  }
})

const replacedOpening = (directory: string) =>
  Effect.map(
    Effect.flip(Effect.scoped(LmdbDatabase.make({ path: directory }))),
    (error) => error._tag === "CannotOpen" ? error.reason : error._tag
  )

describe("a database that is replaced", () => {
  it.live("by a change of the symbolic link that its path is", () =>
    Effect.gen(function*() {
      const { directory, other, root } = yield* makePlace
      const link = path.join(root, "link")
      fs.symlinkSync(directory, link)
      yield* checkReplaced({ root, directory: link, other, backup: other }, () => {
        fs.symlinkSync(other, path.join(root, "next"))
        fs.renameSync(path.join(root, "next"), link)
      })
    }))

  it.live("at one of the paths under which this process has it open", () =>
    Effect.gen(function*() {
      const place = yield* makePlace
      const link = path.join(place.root, "link")
      fs.symlinkSync(place.directory, link)
      yield* checkReplaced({ ...place, directory: link }, () => fs.rmSync(link)).pipe(
        Effect.provide(LmdbDatabase.layer({ path: place.directory }), { local: true })
      )
    }))

  it.live.skipIf(!canMount)("by something that is mounted over it", () =>
    Effect.gen(function*() {
      const place = yield* makePlace
      yield* Effect.addFinalizer(() => Effect.sync(() => execFileSync("umount", ["-l", place.directory])))
      yield* checkReplaced(place, ({ directory, other }) => execFileSync("mount", ["--bind", other, directory]))
    }))

  it.live("is not one that is moved to its own place, nor one of a relative path when the directory is changed", () =>
    Effect.gen(function*() {
      const { directory } = yield* makePlace
      const before = process.cwd()
      yield* Effect.addFinalizer(() => Effect.sync(() => process.chdir(before)))
      process.chdir(path.dirname(directory))
      yield* Effect.gen(function*() {
        process.chdir("/")
        fs.renameSync(directory, `${directory}-away`)
        fs.renameSync(`${directory}-away`, directory)
        yield* set("now")
        assert.strictEqual(Buffer.from((yield* get)!).toString(), "now")
      }).pipe(Effect.provide(LmdbDatabase.layer({ path: path.basename(directory) }), { local: true }))
    }))

  it.live("stays replaced when it is put back, until all layers of the process are closed", () =>
    Effect.gen(function*() {
      const { directory, root } = yield* makePlace
      yield* Effect.gen(function*() {
        fs.renameSync(directory, path.join(root, "away"))
        assert.isTrue(isReplaced(yield* Effect.flip(get)))
        fs.renameSync(path.join(root, "away"), directory)
        assert.isTrue(isReplaced(yield* Effect.flip(set("now"))))
        assert.strictEqual(yield* replacedOpening(directory), "replaced")
      }).pipe(Effect.provide(LmdbDatabase.layer({ path: directory }), { local: true }))
      yield* Effect.provide(set("again"), LmdbDatabase.layer({ path: directory }), { local: true })
    }))

  it.live("can be opened at its path by this process, where another one is there now", () =>
    Effect.gen(function*() {
      const place = yield* makePlace
      yield* Effect.gen(function*() {
        ways["another database is moved to its place"]!(place)
        assert.isTrue(isReplaced(yield* Effect.flip(get)))
        const found = yield* Effect.provide(get, LmdbDatabase.layer({ path: place.directory }), { local: true })
        assert.strictEqual(Buffer.from(found!).toString(), "4")
      }).pipe(Effect.provide(LmdbDatabase.layer({ path: place.directory }), { local: true }))
    }))

  it.live("during a commit tells that this may have been written, and not that it was", () =>
    Effect.gen(function*() {
      const place = yield* makePlace
      yield* Effect.gen(function*() {
        const holder = yield* start("holding.mjs", place.directory)
        assert.strictEqual(yield* message(holder), "holding")
        const committing = yield* Effect.forkChild(Effect.flip(set("now")))
        yield* isCommitting(place.directory)
        ways["a copy of it is moved to its place"]!(place)
        holder.kill("SIGKILL")
        const error = yield* Fiber.join(committing)
        assert.isTrue(isReplaced(error), error.message)
        assert.isTrue(error.maybeCommitted)
      }).pipe(Effect.provide(LmdbDatabase.layer({ path: place.directory }), { local: true }))
      const found = yield* Effect.provide(get, LmdbDatabase.layer({ path: place.directory }), { local: true })
      assert.strictEqual(Buffer.from(found!).toString(), "earlier")
    }))

  it.live("is not one that another process makes anew at the same time: nothing of what it commits is lost", () =>
    Effect.gen(function*() {
      const place = yield* makePlace
      yield* Effect.gen(function*() {
        fs.rmSync(path.join(place.directory, "lock.mdb"))
        // It commits at once, with a lock of its own.
        const child = yield* start("revolving.mjs", place.directory, "5")
        const outcomes: Array<boolean> = []
        while (child.exitCode === null) {
          yield* Effect.sleep("1 millis")
          outcomes.push(yield* Effect.match(set("beside"), { onFailure: isReplaced, onSuccess: () => false }))
        }
        assert.strictEqual(child.exitCode, 0)
        assert.isTrue(outcomes.length > 0 && outcomes.every((failed) => failed))
      }).pipe(Effect.provide(LmdbDatabase.layer({ path: place.directory }), { local: true }))
    }))

  it.effect("by a cleaner of old files is not to happen: opening keeps all of them young, and again every hour", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const files = () =>
        fs.readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
          .map((entry) => path.join(entry.parentPath, entry.name))
      const age = () => files().forEach((file) => fs.utimesSync(file, 0, 0))
      const checkYoung = () => {
        for (const file of files()) assert.isAbove(fs.statSync(file).mtimeMs, 0, file)
      }
      const layer = LmdbDatabase.layer({ path: directory })
      yield* Effect.provide(get, layer, { local: true })
      age()
      yield* Effect.gen(function*() {
        yield* get
        checkYoung()
        age()
        yield* TestClock.adjust("1 hour")
        checkYoung()
      }).pipe(Effect.provide(layer, { local: true }))
    }))

  it.live("by the content of another that is newer is not taken for it", () =>
    Effect.gen(function*() {
      const { directory, other } = yield* makePlace
      yield* Effect.gen(function*() {
        yield* set("now")
        yield* Effect.provide(set("newer"), LmdbDatabase.layer({ path: other }), { local: true })
        ways["another database is written over data.mdb"]!({ directory, other, backup: "", root: "" })
        assert.isTrue(isReplaced(yield* Effect.flip(get)))
      }).pipe(Effect.provide(LmdbDatabase.layer({ path: directory }), { local: true }))
    }))

  it.live("while a transaction reads answers none of its later reads", () =>
    Effect.gen(function*() {
      const place = yield* makePlace
      const reading = Effect.gen(function*() {
        const tx = yield* Transaction
        yield* tx.get(key)
        ways["an empty directory takes its place"]!(place)
        yield* Effect.sleep("10 millis")
        return yield* tx.get(watched)
      })
      const error = yield* Effect.flip(Database.transact(reading, { retryLimit: 0 })).pipe(
        Effect.provide(LmdbDatabase.layer({ path: place.directory }), { local: true })
      )
      assert.strictEqual(error.code, 1007)
    }))

  it.live("tells of no lagging readers", () =>
    Effect.gen(function*() {
      const place = yield* makePlace
      const options = { path: place.directory }
      yield* Effect.gen(function*() {
        fs.rmSync(file("lock.mdb")(place))
        const error = yield* Effect.flip(LmdbDatabase.laggingReaders(options))
        assert.isTrue(error._tag === "FdbError" && isReplaced(error), error.message)
      }).pipe(Effect.provide(LmdbDatabase.layer(options), { local: true }))
    }))

  it.live("where one of the paths is not used any more is not to be told to those who use the other", () =>
    Effect.gen(function*() {
      const place = yield* makePlace
      const link = path.join(place.root, "link")
      fs.symlinkSync(place.directory, link)
      yield* Effect.gen(function*() {
        yield* Effect.provide(set("by the link"), LmdbDatabase.layer({ path: link }), { local: true })
        fs.rmSync(link)
        yield* set("now")
        assert.strictEqual(Buffer.from((yield* get)!).toString(), "now")
      }).pipe(Effect.provide(LmdbDatabase.layer({ path: place.directory }), { local: true }))
    }))

  it.live("is written to no more, however long ago it was found in place, and is not told as written", () =>
    Effect.gen(function*() {
      const place = yield* makePlace
      const environment = yield* sharedEnvironments.acquire(place.directory, { durability: "disk", access: "owner" })
      const reader = environment.openReader()
      reader.close()
      const data = fs.openSync(file("data.mdb")(place), "r")
      yield* Effect.addFinalizer(() => Effect.sync(() => fs.closeSync(data)))
      const before = fs.fstatSync(data).mtimeMs
      fs.rmSync(place.directory, { recursive: true })
      const error = yield* Effect.flip(Effect.tryPromise({
        try: () => environment.write(reader.head.sequence, [{ key: Uint8Array.of(3, 1), value: key }]),
        catch: (cause) => cause as FdbError
      }))
      assert.isTrue(isReplaced(error), error.message)
      assert.isFalse(error.maybeCommitted)
      assert.strictEqual(fs.fstatSync(data).mtimeMs, before)
    }))
})

describe("a file that is replaced while it is being opened", () => {
  const anew = (file: string) => {
    const content = fs.readFileSync(file)
    fs.rmSync(file)
    fs.writeFileSync(file, content)
  }

  /** Opens it, while each opening of `data.mdb`, as often as told, replaces a file. */
  const openBeside = Effect.fnUntraced(function*(directory: string, name: string, times: number) {
    const lmdb = yield* Effect.promise(() => import("lmdb"))
    let left = times
    const open = ((options: { readonly path: string }) => {
      const root = lmdb.open(options)
      if (options.path === directory && left-- > 0) anew(path.join(directory, name))
      return root
    }) as typeof lmdb.open
    const { dev, ino } = fs.statSync(directory, { bigint: true })
    const options = { durability: "disk", access: "owner" } as const
    return yield* Effect.acquireRelease(
      openEnvironment({ ...lmdb, open }, directory, `${dev}:${ino}`, options),
      (environment) => Effect.promise(() => environment.close())
    )
  })

  for (const name of ["lock.mdb", "data.mdb", "gate/openers.mdb", "gate/committers.mdb-lock"]) {
    it.live(`(${name}) is opened anew, and given up where that goes on`, () =>
      Effect.gen(function*() {
        const { directory } = yield* makePlace
        const environment = yield* openBeside(directory, name, 1)
        const reader = environment.openReader()
        reader.close()
        assert.isUndefined(environment.files.problem())
        assert.isTrue(
          yield* Effect.promise(() =>
            environment.write(reader.head.sequence, [{ key: Uint8Array.of(3, 1), value: key }])
          )
        )
        yield* Effect.promise(() => environment.close())
        const error = yield* Effect.flip(openBeside(directory, name, 3))
        assert.strictEqual(error.reason, "replaced")
        assert.include(error.message, name)
      }).pipe(Effect.scoped))
  }
})
