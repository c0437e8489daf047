import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Result } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { CommitSignal, signalDirectory } from "../src/internal/commitSignal.ts"
import * as permissions from "../src/internal/permissions.ts"
import { temporaryDirectory } from "./support/processes.ts"

/** Longer than a test may take. */
const never = 1_000_000

/** The signals of processes that share a directory. Unless it is set, no poll comes during the test. */
const processes = Effect.gen(function*() {
  const directory = yield* temporaryDirectory
  return {
    directory,
    files: path.join(directory, signalDirectory),
    start: (pollMillis = never) =>
      Effect.acquireRelease(
        Effect.sync(() => new CommitSignal(directory, permissions.of(directory, "owner"), pollMillis)),
        (signal) => Effect.sync(() => signal.close())
      )
  }
})

/** Counts the calls of a listener; `next` waits for one. */
const listen = (signal: CommitSignal) => {
  let calls = 0
  let called = Deferred.makeUnsafe<void>()
  const unlisten = signal.listen(() => {
    calls++
    Deferred.doneUnsafe(called, Effect.void)
  })
  return {
    unlisten,
    calls: () => calls,
    next: Effect.suspend(() => Deferred.await(called = Deferred.makeUnsafe()))
  }
}

/** The files that this process watches, as the operating system tells. */
const countWatches = (): number =>
  fs.readdirSync("/proc/self/fdinfo").reduce((count, descriptor) => {
    const info = Result.getOrElse(
      Result.try(() => fs.readFileSync(`/proc/self/fdinfo/${descriptor}`, "utf8")),
      () => ""
    )
    return count + [...info.matchAll(/^inotify /gm)].length
  }, 0)

describe("the signal of commits", () => {
  it.live("a commit calls each process that attends to one of its keys, and no other", () =>
    Effect.gen(function*() {
      const { start } = yield* processes
      const [committer, reader, bystander] = [yield* start(), yield* start(), yield* start()]
      const [read, stood] = [listen(reader), listen(bystander)]
      reader.attend("a")
      bystander.attend("b")
      for (let i = 0; i < 3; i++) {
        yield* Effect.all([read.next, Effect.sync(() => committer.announce(["x", "a"]))], both)
      }
      assert.strictEqual(stood.calls(), 0)
      yield* Effect.all([stood.next, Effect.sync(() => committer.announce(["b"]))], both)
      assert.strictEqual(stood.calls(), 1)
    }).pipe(Effect.scoped))

  it.live("a commit to very many keys calls every process that listens", () =>
    Effect.gen(function*() {
      const { start } = yield* processes
      const [committer, reader] = [yield* start(), yield* start()]
      const { next } = listen(reader)
      reader.attend("a")
      const many = Array.from({ length: 1000 }, (_, i) => `key ${i}`)
      yield* Effect.all([next, Effect.sync(() => committer.announce(many))], both)
    }).pipe(Effect.scoped))

  it.live.skipIf(process.platform !== "linux")(
    "nobody who ignores the key again is called, and a poll ends the watch",
    () =>
      Effect.gen(function*() {
        const { start } = yield* processes
        const before = countWatches()
        const reader = yield* start(20)
        const { next, unlisten } = listen(reader)
        const ignore = reader.attend("a")
        reader.attend("b")
        assert.strictEqual(countWatches() - before, 3)
        ignore()
        while (countWatches() - before > 2) yield* next
        unlisten()
        while (countWatches() > before) yield* Effect.sleep("10 millis")
      }).pipe(Effect.scoped)
  )

  it.live.skipIf(process.platform !== "linux")(
    "a process that attends to thousands of keys watches a few hundred files",
    () =>
      Effect.gen(function*() {
        const { files, start } = yield* processes
        const before = countWatches()
        const reader = yield* start()
        listen(reader)
        for (let i = 0; i < 10_000; i++) reader.attend(`key ${i}`)
        assert.strictEqual(countWatches() - before, 257)
        assert.strictEqual(fs.readdirSync(files).length, 257)
      }).pipe(Effect.scoped)
  )

  it.live("files that are removed are noticed, and made again while the directory exists", () =>
    Effect.gen(function*() {
      const { files, start } = yield* processes
      const [committer, reader] = [yield* start(), yield* start(20)]
      const { next } = listen(reader)
      reader.attend("a")
      const there = fs.readdirSync(files)
      yield* Effect.all([next, Effect.sync(() => fs.rmSync(files, { recursive: true }))], both)
      while (!fs.existsSync(files) || fs.readdirSync(files).length < there.length) yield* next
      yield* Effect.all([next, Effect.sync(() => committer.announce(["a"]))], both)
    }).pipe(Effect.scoped))

  it.live("where no file can be watched, it polls often", () =>
    Effect.gen(function*() {
      const { directory, start } = yield* processes
      fs.writeFileSync(path.join(directory, signalDirectory), "a file in place of the directory")
      const reader = yield* start()
      const { next } = listen(reader)
      reader.attend("a")
      yield* next
      yield* next
    }).pipe(Effect.scoped))

  it.live("a commit where nobody has ever listened makes no file", () =>
    Effect.gen(function*() {
      const { files, start } = yield* processes
      const committer = yield* start()
      committer.announce(["a"])
      assert.isFalse(fs.existsSync(files))
    }).pipe(Effect.scoped))
})

const both = { concurrency: 2 } as const
