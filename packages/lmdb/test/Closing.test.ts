import { Bytes, Database, type FdbError, Transaction } from "@effect-fdb/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Scope } from "effect"
import { TestClock } from "effect/testing"
import { spawnSync } from "node:child_process"
import { LmdbDatabase } from "../src/index.ts"
import { exited, message, start, startBy, temporaryDirectory } from "./support/processes.ts"
import { isCommitting, millisUntil } from "./support/waiting.ts"

const key = Bytes.fromString("key")
const commit = Database.transact(Transaction.use((tx) => tx.set(key, key)))
const get = Database.transact(Transaction.use((tx) => tx.get(key)))

const live = TestClock.withLive(Effect.sleep("50 millis"))

const opened = (directory: string) =>
  Effect.gen(function*() {
    const scope = yield* Scope.make()
    const database = yield* Scope.provide(LmdbDatabase.make({ path: directory }), scope)
    return {
      close: Scope.close(scope, Exit.void),
      commit: Effect.provideService(commit, Database, database)
    }
  })

const canBeFirst = spawnSync("unshare", ["--pid", "--fork", "true"]).status === 0

/** A process that has LMDB's write lock. */
const hold = Effect.fnUntraced(function*(directory: string) {
  const holder = yield* start("holding.mjs", directory)
  assert.strictEqual(yield* message(holder), "holding")
  return holder
})

describe("a database that was closed", () => {
  for (const [how, open] of [["for good", false], ["while another process has it open", true]] as const) {
    it.live(`fails commits, reads and watches with 1101 (${how})`, () =>
      Effect.gen(function*() {
        const directory = yield* temporaryDirectory
        const scope = yield* Scope.make()
        const database = yield* Scope.provide(LmdbDatabase.make({ path: directory }), scope)
        const codeOf = <A, R>(use: Effect.Effect<A, FdbError, R>) =>
          Effect.map(Effect.flip(Effect.provideService(use, Database, database)), ({ code }) => code)
        yield* Effect.provideService(commit, Database, database)
        if (open) assert.strictEqual(yield* message(yield* start("reading.mjs", directory, "waiting")), "reading")
        yield* Scope.close(scope, Exit.void)
        assert.strictEqual(yield* codeOf(commit), 1101)
        assert.strictEqual(yield* codeOf(get), 1101)
        const large = Transaction.use((tx) =>
          Effect.forEach(Array.from({ length: 600 }, (_, i) => Bytes.fromString(`${i}`)), (key) => tx.set(key, key))
        )
        assert.strictEqual(yield* codeOf(Database.transact(large)), 1101)
        const watch = Effect.scoped(Effect.flatten(Database.transact(Transaction.use((tx) => tx.watch(key)))))
        assert.strictEqual(yield* codeOf(watch), 1101)
      }))
  }
})

describe.concurrent("while another process has the write lock for ever", () => {
  it.effect("closing waits five seconds for a commit that has been sent; and opening anew as long as any opening", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const first = yield* opened(directory)
      yield* first.commit
      const holder = yield* hold(directory)
      const committing = yield* Effect.forkChild(first.commit)
      yield* isCommitting(directory)
      const closing = yield* Effect.forkChild(first.close)
      assert.isAtLeast(yield* millisUntil(closing), 5000)
      yield* Fiber.join(closing)
      const opening = yield* Effect.forkChild(Effect.flip(Effect.scoped(LmdbDatabase.make({ path: directory }))))
      assert.isAtLeast(yield* millisUntil(opening), 10_000)
      const error = yield* Fiber.join(opening)
      assert.isTrue(error._tag === "CannotOpen" && error.reason === "busy", error.message)
      holder.kill("SIGKILL")
      const late = yield* Effect.flip(Fiber.join(committing))
      assert.strictEqual(late.code, 1031)
      assert.isTrue(late.maybeCommitted)
      const second = yield* opened(directory)
      yield* second.commit
      yield* second.close
    }))

  it.effect("closing waits for nothing where nothing was sent", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const first = yield* opened(directory)
      yield* first.commit
      yield* hold(directory)
      yield* first.close
    }))

  it.effect("one of two layers of a process closes as soon, and the other goes on", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const first = yield* opened(directory)
      const second = yield* opened(directory)
      yield* first.commit
      const holder = yield* hold(directory)
      const committing = yield* Effect.forkChild(first.commit)
      yield* isCommitting(directory)
      const closing = yield* Effect.forkChild(first.close)
      assert.isAtLeast(yield* millisUntil(closing), 5000)
      yield* Fiber.join(closing)
      holder.kill("SIGKILL")
      yield* Fiber.await(committing)
      yield* second.commit
      yield* second.close
    }))

  it.effect("opening can be interrupted while it waits for an earlier closing", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const first = yield* opened(directory)
      yield* first.commit
      const holder = yield* hold(directory)
      yield* Effect.forkChild(first.commit)
      yield* isCommitting(directory)
      const closing = yield* Effect.forkChild(first.close)
      yield* millisUntil(closing)
      yield* Fiber.join(closing)
      const opening = yield* Effect.forkChild(Effect.scoped(LmdbDatabase.make({ path: directory })))
      yield* live
      yield* Fiber.interrupt(opening)
      holder.kill("SIGKILL")
      const second = yield* opened(directory)
      yield* second.close
    }))

  it.live(
    "a process exits: by the signal of its exit code, by SIGTERM with 0, or by SIGKILL, five seconds after its commit began",
    () =>
      Effect.gen(function*() {
        const directory = yield* temporaryDirectory
        const children = yield* Effect.forEach([143, 3, 0], () => start("exiting.mjs", directory))
        for (const child of children) assert.strictEqual(yield* message(child), "open")
        const holder = yield* hold(directory)
        for (const child of children) {
          child.send("commit")
          assert.strictEqual(yield* message(child), "committing")
        }
        const [terminated, killed, succeeded] = children
        terminated!.send(143)
        killed!.send(3)
        succeeded!.send(0)
        assert.strictEqual(yield* exited(terminated!), "SIGTERM")
        assert.strictEqual(yield* exited(killed!), "SIGKILL")
        assert.strictEqual(yield* exited(succeeded!), "SIGTERM")
        holder.kill("SIGKILL")
        yield* Effect.provide(get, LmdbDatabase.layer({ path: directory }), { local: true })
      })
  )

  it.live.skipIf(!canBeFirst)(
    "process 1 of a container exits as well, which none of its own signals can end",
    () =>
      Effect.gen(function*() {
        const directory = yield* temporaryDirectory
        const how = { execPath: "unshare", execArgv: ["--pid", "--fork", process.execPath], silent: true }
        const child = yield* startBy(how, "exiting.mjs", directory)
        assert.strictEqual(yield* message(child), "open")
        yield* hold(directory)
        child.send("commit")
        assert.strictEqual(yield* message(child), "committing")
        child.send(3)
        assert.oneOf(yield* exited(child), ["SIGABRT", "SIGSEGV", 128 + 6, 128 + 11])
      })
  )

  it.live("a process exits with its own code where the lock is let go of in time", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const child = yield* start("exiting.mjs", directory)
      assert.strictEqual(yield* message(child), "open")
      const holder = yield* hold(directory)
      child.send("commit")
      assert.strictEqual(yield* message(child), "committing")
      child.send(3)
      yield* Effect.sleep("500 millis")
      assert.isNull(child.exitCode)
      holder.kill("SIGKILL")
      assert.strictEqual(yield* exited(child), 3)
    }))
})
