/**
 * What this process has open: each database once, however many ask for it.
 *
 * LMDB may not be opened twice in a process: the operating system drops all of a process's locks on a file when it closes any
 * descriptor of it, and the first to close takes the slots of the other's readers away.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as path from "node:path"
import { isMainThread } from "node:worker_threads"
import * as ChildStdio from "../ChildStdio.ts"
import { type CannotOpen, type LmdbError, LmdbUnavailable, WorkerThreadUnsupported } from "../LmdbError.ts"
import type { Environment } from "./environment.ts"
import * as open from "./open.ts"
import { dataFile, findMapped, lockFile } from "./storeFiles.ts"

interface OpenEnvironment {
  /** Of its directory. */
  readonly identity: string
  readonly environment: Environment
  users: number
  /** Ends when it has been closed; it is not opened anew before that. */
  closing: Promise<void> | undefined
}

/** By the directory's identity. */
const environments = new Map<string, OpenEnvironment>()

/** By the directory's identity: one fiber at a time opens or closes. */
const mutexes = new Map<string, Semaphore.Semaphore>()

const withMutex = (identity: string) => {
  const mutex = mutexes.get(identity) ?? Semaphore.makeUnsafe(1)
  mutexes.set(identity, mutex)
  return mutex.withPermits(1)
}

/** Tells this copy of the module from others: of another version, of another installation, or evaluated once more. */
const thisCopy = { url: import.meta.url }

const copiesKey = Symbol.for("@effect-fdb/lmdb/copies")

/** Which copy has what open, by the directory's identity: one for all copies in the process. */
const copies = (globalThis as { [copiesKey]?: Map<string, typeof thisCopy> })[copiesKey] ??= new Map()

const checkUnique = Effect.fnUntraced(function*(directory: string, identity: string) {
  const copy = copies.get(identity)
  if (copy !== undefined && copy !== thisCopy) {
    const detail = `another copy of @effect-fdb/lmdb has it open in this process: ${copy.url}`
    return yield* open.refusal(directory, "duplicate", detail)
  }
  const mapped = findMapped([path.join(directory, dataFile), path.join(directory, lockFile)])
  if (mapped !== undefined) {
    return yield* open.refusal(directory, "duplicate", `something else in this process has ${mapped} open with LMDB`)
  }
})

const openNew = Effect.fnUntraced(
  function*(lmdb: open.Lmdb, directory: string, identity: string, options: open.Options) {
    yield* checkUnique(directory, identity)
    copies.set(identity, thisCopy)
    const environment = yield* Effect.onError(
      open.openEnvironment(lmdb, directory, identity, options),
      () => Effect.sync(() => copies.delete(identity))
    )
    const opened: OpenEnvironment = { identity, environment, users: 1, closing: undefined }
    environments.set(identity, opened)
    return opened
  }
)

/** Waits until what this process had open is closed. */
const untilClosed = (directory: string, closing: Promise<void>): Effect.Effect<void, CannotOpen> =>
  Effect.promise(() => closing).pipe(
    Effect.timeoutOrElse({
      duration: open.openTimeout,
      orElse: () => {
        const detail = `this process has been closing it for ${open.openTimeout}, as another has LMDB's lock`
        return Effect.fail(open.refusal(directory, "busy", detail))
      }
    }),
    Effect.interruptible
  )

/** Opens, or takes what is open in this process already. */
const take = Effect.fnUntraced(
  function*(directory: string, options: open.Options): Effect.fn.Return<OpenEnvironment, LmdbError> {
    if (!isMainThread) return yield* new WorkerThreadUnsupported()
    const lmdb = yield* Effect.tryPromise({
      try: () => import("lmdb"),
      catch: (cause) => new LmdbUnavailable({ detail: open.said(cause) })
    })
    ChildStdio.withholdStores()
    const identity = yield* open.prepare(directory, options.access)
    return yield* withMutex(identity)(Effect.gen(function*() {
      const closing = environments.get(identity)?.closing
      if (closing !== undefined) yield* untilClosed(directory, closing)
      const found = environments.get(identity)
      if (found === undefined) return yield* openNew(lmdb, directory, identity, options)
      const { environment } = found
      if (environment.isReplaced) {
        const detail = "this process has it open as it was before its files were replaced"
        return yield* open.refusal(directory, "replaced", detail)
      }
      if (environment.durability !== options.durability) {
        const detail = `it is open in this process with durability "${environment.durability}"`
        return yield* open.refusal(directory, "options", detail)
      }
      found.users++
      environment.files.addPath(directory)
      return found
    }))
  }
)

/**
 * The last one closes it. Where a commit still waits for LMDB's lock, that goes on alone: nobody can take it back, and whoever has
 * the lock may be stopped.
 */
const giveBack = (opened: OpenEnvironment, directory: string): Effect.Effect<void> =>
  withMutex(opened.identity)(Effect.suspend(() => {
    const { environment, identity } = opened
    if (--opened.users > 0) return Effect.sync(() => environment.files.removePath(directory))
    const { isWriting } = environment
    const closing = environment.close().finally(() => {
      environments.delete(identity)
      copies.delete(identity)
    })
    opened.closing = closing
    return isWriting ? Effect.void : Effect.promise(() => closing)
  }))

/** The environment of a directory, until the scope is closed. */
export const acquire = (
  directory: string,
  options: open.Options
): Effect.Effect<Environment, LmdbError, Scope.Scope> =>
  Effect.acquireRelease(take(directory, options), (opened) => giveBack(opened, directory)).pipe(
    Effect.map(({ environment }) => environment)
  )
