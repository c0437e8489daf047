/**
 * The open databases of this process. All its layers share one environment for each database, because a process must not open an
 * LMDB database twice: when it closes any descriptor of a file, the operating system drops all its locks on that file.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as path from "node:path"
import { isMainThread } from "node:worker_threads"
import * as ChildStdio from "../ChildStdio.ts"
import { type LmdbError, LmdbUnavailable, WorkerThreadUnsupported } from "../LmdbError.ts"
import type { Environment } from "./environment.ts"
import * as open from "./openEnvironment.ts"
import { dataFile, findMapped, lockFile } from "./storeFiles.ts"

interface OpenEnvironment {
  readonly identity: string
  readonly environment: Environment
  users: number
  /** Ends when the environment is closed. It is not opened again before that. */
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

/** Identifies this copy of the module. A process may load others: of other versions or installations. */
const thisCopy = { url: import.meta.url }

const copiesKey = Symbol.for("@effect-fdb/lmdb/copies")

/** The copy that has a database open, by the directory's identity. All copies in the process share this map. */
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
      if (closing !== undefined) {
        const detail = `this process has been closing it for ${open.openTimeout}, because another holds LMDB's lock`
        yield* Effect.promise(() => closing).pipe(open.inTime(directory, detail))
      }
      const found = environments.get(identity)
      if (found === undefined) return yield* openNew(lmdb, directory, identity, options)
      const { environment } = found
      if (environment.isReplaced) {
        return yield* open.refusal(directory, "replaced", "its files were replaced while this process had it open")
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

/** The last user closes the environment; in the background if a commit waits for LMDB's lock, which may take for ever. */
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

/** The environment of a directory, open until the scope closes. */
export const acquire = (
  directory: string,
  options: open.Options
): Effect.Effect<Environment, LmdbError, Scope.Scope> =>
  Effect.acquireRelease(take(directory, options), (opened) => giveBack(opened, directory)).pipe(
    Effect.map(({ environment }) => environment)
  )
