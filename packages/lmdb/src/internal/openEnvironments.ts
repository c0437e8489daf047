/**
 * What this process has open: each database once, however many ask for it.
 *
 * LMDB may not be opened twice in a process: the operating system drops all of a process's locks on a file when it closes any
 * descriptor of it, and the first to close takes the slots of the other's readers away.
 */
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import * as path from "node:path"
import { isMainThread } from "node:worker_threads"
import * as ChildStdio from "../ChildStdio.ts"
import { type CannotOpen, type LmdbError, LmdbUnavailable, WorkerThreadUnsupported } from "../LmdbError.ts"
import type { Environment } from "./environment.ts"
import { findMapped } from "./mappedFiles.ts"
import * as open from "./open.ts"
import { dataFile, lockFile } from "./storeFiles.ts"

interface Shared {
  readonly environment: Environment
  users: number
  /** It is being closed; not to be used any more, and not to be opened anew before it has ended. */
  closing: Promise<void> | undefined
}

/** By the directory's identity. */
const shared = new Map<string, Shared>()

/** Who opens or closes what, by the directory's identity: one at a time. */
const mutexes = new Map<string, Semaphore.Semaphore>()

const withMutex = (identity: string) => <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
  const turn = mutexes.get(identity) ?? Semaphore.makeUnsafe(1)
  mutexes.set(identity, turn)
  return turn.withPermits(1)(effect)
}

/** A copy of this module: of another version, of another installation, or evaluated once more. */
interface Copy {
  readonly url: string
}

const thisCopy: Copy = { url: import.meta.url }

/** Which copy has what open, by the directory's identity: one for all copies in the process. */
const copies: Map<string, Copy> = (() => {
  const key = Symbol.for("@effect-fdb/lmdb/copies")
  const all = globalThis as { [key]?: Map<string, Copy> }
  return all[key] ??= new Map()
})()

const checkUnique = Effect.fnUntraced(function*(directory: string, identity: string) {
  const copy = copies.get(identity)
  if (copy !== undefined && copy !== thisCopy) {
    return yield* open.refuse(
      directory,
      "duplicate",
      `another copy of @effect-fdb/lmdb has it open in this process: ${copy.url}`
    )
  }
  const mapped = findMapped([path.join(directory, dataFile), path.join(directory, lockFile)])
  if (mapped !== undefined) {
    return yield* open.refuse(directory, "duplicate", `something else in this process has ${mapped} open with LMDB`)
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
    shared.set(identity, { environment, users: 1, closing: undefined })
    return environment
  }
)

/** Waits until what this process had open is closed. */
const untilClosed = (directory: string, closing: Promise<void>): Effect.Effect<void, CannotOpen> =>
  Effect.promise(() => closing).pipe(
    Effect.timeoutOrElse({
      duration: open.openTimeout,
      orElse: () =>
        open.refuse(
          directory,
          "busy",
          `this process has been closing it for ${open.openTimeout}, as another has LMDB's lock`
        )
    }),
    Effect.interruptible
  )

/** Opens, or takes what is open in this process already. */
export const acquire = Effect.fnUntraced(
  function*(directory: string, options: open.Options): Effect.fn.Return<Environment, LmdbError> {
    if (!isMainThread) return yield* new WorkerThreadUnsupported()
    const lmdb = yield* Effect.tryPromise({
      try: () => import("lmdb"),
      catch: (cause) => new LmdbUnavailable({ detail: open.said(cause) })
    })
    ChildStdio.withholdStores()
    const identity = yield* open.prepare(directory, options.access)
    return yield* withMutex(identity)(Effect.gen(function*() {
      const closing = shared.get(identity)?.closing
      if (closing !== undefined) yield* untilClosed(directory, closing)
      const found = shared.get(identity)
      if (found === undefined) return yield* openNew(lmdb, directory, identity, options)
      const { environment } = found
      if (environment.isReplaced) {
        return yield* open.refuse(
          directory,
          "replaced",
          "this process has it open as it was before its files were replaced"
        )
      }
      if (environment.durability !== options.durability) {
        const detail = `it is open in this process with durability "${environment.durability}"`
        return yield* open.refuse(directory, "options", detail)
      }
      found.users++
      environment.files.addPath(directory)
      return environment
    }))
  }
)

/**
 * Gives back what {@link acquire} gave; the last one closes it. Where a commit still waits for LMDB's lock, that goes on alone:
 * nobody can take it back, and whoever has the lock may be stopped.
 */
export const release = (environment: Environment, directory: string): Effect.Effect<void> =>
  Effect.suspend(() => {
    for (const [identity, found] of shared) {
      if (found.environment !== environment) continue
      return withMutex(identity)(Effect.suspend(() => {
        found.users--
        if (found.users > 0) return Effect.sync(() => environment.files.removePath(directory))
        const { isWriting } = environment
        const closing = environment.close().finally(() => {
          shared.delete(identity)
          copies.delete(identity)
        })
        found.closing = closing
        return isWriting ? Effect.void : Effect.promise(() => closing)
      }))
    }
    return Effect.void
  })
