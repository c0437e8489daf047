/**
 * Opens the database of a directory, once in a process however many ask for it, and says what is wrong when it cannot.
 *
 * The files are looked at before LMDB gets them: what it says of files that are not its own is hard to tell apart.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import type * as lmdbTypes from "lmdb"
import * as fs from "node:fs"
import * as path from "node:path"
import { isMainThread } from "node:worker_threads"
import {
  CannotOpen,
  type CannotOpenReason,
  type LmdbError,
  LmdbUnavailable,
  WorkerThreadUnsupported
} from "../LmdbError.ts"
import { Door } from "./door.ts"
import { type Durability, Environment } from "./environment.ts"
import { Gate } from "./gate.ts"
import * as layout from "./layout.ts"
import type { Root } from "./root.ts"

type Lmdb = typeof lmdbTypes

interface Shared {
  readonly environment: Environment
  users: number
}

/** What is open in this process, by the directory's identity. */
const shared = new Map<string, Shared>()

/** Who opens or closes what, by the directory's identity: one at a time. */
const turns = new Map<string, Semaphore.Semaphore>()

const inTurn = (identity: string) => <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
  const turn = turns.get(identity) ?? Semaphore.makeUnsafe(1)
  turns.set(identity, turn)
  return turn.withPermits(1)(effect)
}

/** How long an opening waits for the commits under way in other processes. */
const openTimeout = "10 seconds"

/** What may be mapped without mapping anew; addresses only, no memory. */
const mapSize = 2 ** 34
const maxReaders = 2048
/** A slot of 64 bytes for each reader, and a page for what comes before them. */
const lockFileLength = maxReaders * 64 + 4096

const headerLength = 32
/** Behind the header of the first page, whose length depends on the version of LMDB. */
const magic = 0xbeefc0de
const magicOffsets = [16, 24]

const codeOf = (cause: unknown): string =>
  typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : ""

const said = (cause: unknown): string => cause instanceof Error ? cause.message : String(cause)

const reasonOf = (cause: unknown): CannotOpenReason => {
  const code = codeOf(cause)
  const text = said(cause)
  if (code === "ENOENT") return "missing-parent"
  if (code === "ENOTDIR" || code === "EEXIST") return "not-a-directory"
  if (/EACCES|EPERM|EROFS/.test(code) || /Permission denied|Read-only file system|not permitted/.test(text)) {
    return "not-writable"
  }
  if (/ENOSPC|EDQUOT/.test(code) || /No space left|Disk quota|MAP_FULL/.test(text)) return "disk-full"
  if (/MDB_INVALID|MDB_VERSION_MISMATCH/.test(text)) return "not-lmdb"
  if (/MDB_CORRUPTED|MDB_PAGE_NOTFOUND|MDB_PANIC/.test(text)) return "corrupt"
  return "other"
}

const attempt = <A>(directory: string, run: () => A): Effect.Effect<A, CannotOpen> =>
  Effect.try({
    try: run,
    catch: (cause) => new CannotOpen({ path: directory, reason: reasonOf(cause), detail: said(cause) })
  })

const refuse = (directory: string, reason: CannotOpenReason, detail: string) =>
  Effect.fail(new CannotOpen({ path: directory, reason, detail }))

/** Makes the directory if only its last part is missing, checks that it can be used, and tells what identifies it. */
const prepare = Effect.fnUntraced(function*(directory: string) {
  if (!fs.existsSync(directory)) {
    // Another process may have made it in the meantime.
    yield* Effect.catchIf(
      attempt(directory, () => fs.mkdirSync(directory)),
      ({ detail }) => detail.startsWith("EEXIST"),
      () => Effect.void
    )
  }
  const stat = yield* attempt(directory, () => fs.statSync(directory))
  if (!stat.isDirectory()) return yield* refuse(directory, "not-a-directory", "there is a file of this name")
  yield* attempt(directory, () => fs.accessSync(directory, fs.constants.R_OK | fs.constants.W_OK | fs.constants.X_OK))
  const file = path.join(directory, "data.mdb")
  if (fs.existsSync(file)) yield* checkFile(directory, file)
  return `${stat.dev}:${stat.ino}`
})

/** An LMDB file begins with a page that has its magic number. */
const checkFile = Effect.fnUntraced(function*(directory: string, file: string) {
  const header = yield* attempt(directory, () => {
    fs.accessSync(file, fs.constants.R_OK | fs.constants.W_OK)
    const descriptor = fs.openSync(file, "r")
    try {
      const bytes = Buffer.alloc(headerLength)
      return bytes.subarray(0, fs.readSync(descriptor, bytes, 0, headerLength, 0))
    } finally {
      fs.closeSync(descriptor)
    }
  })
  if (header.length < headerLength || magicOffsets.every((offset) => header.readUInt32LE(offset) !== magic)) {
    return yield* refuse(directory, "not-lmdb", "data.mdb is no LMDB file")
  }
})

const shape = {
  encoding: "binary",
  keyEncoding: "binary",
  maxReaders,
  // A commit is to go to the disk by itself and at once, and not wait for others of the same turn.
  eventTurnBatching: false,
  batchStartThreshold: Number.MAX_SAFE_INTEGER,
  // Syncing after the lock is given back does not survive a process that is killed in it.
  overlappingSync: false
} as const

const openRoot = (lmdb: Lmdb, options: object): Root =>
  lmdb.open({ ...shape, ...options } as Parameters<Lmdb["open"]>[0]) as Root

/**
 * Makes a lock file before LMDB does, which would leave holes in it: touching one when the disk is full kills the process
 * (SIGBUS). LMDB takes one that is there and of which nobody has a lock as if it were new.
 */
const makeLockFile = (file: string): void => {
  if (fs.existsSync(file)) return
  const draft = `${file}.${process.pid}`
  try {
    fs.writeFileSync(draft, Buffer.alloc(lockFileLength))
    fs.linkSync(draft, file)
  } catch (error) {
    // Another process may have made it in the meantime.
    if (codeOf(error) !== "EEXIST") throw error
  } finally {
    fs.rmSync(draft, { force: true })
  }
}

const openData = (lmdb: Lmdb, directory: string, durability: Durability): Effect.Effect<Root, CannotOpen> =>
  attempt(directory, () => {
    makeLockFile(path.join(directory, "lock.mdb"))
    return openRoot(lmdb, { path: directory, noSubdir: false, mapSize, noSync: durability === "process" })
  })

const openGate = (lmdb: Lmdb, directory: string): Effect.Effect<Gate, CannotOpen> =>
  attempt(directory, () => {
    const gate = path.join(directory, "gate")
    fs.mkdirSync(gate, { recursive: true })
    const open = (name: string) => {
      makeLockFile(path.join(gate, `${name}-lock`))
      return openRoot(lmdb, { path: path.join(gate, name), noSubdir: true, noSync: true })
    }
    return new Gate(open("committers.mdb"), open("openers.mdb"))
  })

/**
 * Makes a database with the first records where there is none. It is made beside its place and then put there at once, so
 * that several processes may do this at a time, and be killed in it.
 */
const create = Effect.fnUntraced(function*(lmdb: Lmdb, directory: string) {
  const file = path.join(directory, "data.mdb")
  if (fs.existsSync(file)) return
  const clock = yield* Clock.Clock
  const wall = clock.currentTimeNanosUnsafe() / 1000n
  const head = {
    sequence: 0,
    version: wall,
    epoch: wall - clock.monotonicTimeNanosUnsafe() / 1000n,
    floor: wall,
    oldest: 1
  }
  yield* Effect.acquireUseRelease(
    attempt(directory, () => fs.mkdtempSync(path.join(directory, "new-"))),
    Effect.fnUntraced(function*(draft) {
      yield* Effect.acquireUseRelease(
        openData(lmdb, draft, "disk"),
        (root) =>
          attempt(directory, () =>
            root.transactionSync(() => {
              root.putSync(layout.formatKey, Buffer.from(layout.format))
              root.putSync(layout.headKey, layout.encodeHead(head))
            })),
        (root) => Effect.promise(() => root.close())
      )
      // Another process may have made one in the meantime.
      yield* Effect.catchIf(
        attempt(directory, () => fs.linkSync(path.join(draft, "data.mdb"), file)),
        ({ detail }) => detail.startsWith("EEXIST"),
        () => Effect.void
      )
    }),
    (draft) => Effect.sync(() => fs.rmSync(draft, { recursive: true, force: true }))
  )
})

const checkFormat = Effect.fnUntraced(function*(root: Root, directory: string) {
  const format = (yield* attempt(directory, () => root.getBinary(layout.formatKey)))?.toString()
  if (format === layout.format) return
  return yield* format?.startsWith("effect-fdb") === true
    ? refuse(directory, "format", `it has the layout "${format}", this version knows "${layout.format}"`)
    : refuse(directory, "foreign", "it holds data that are not those of @effect-fdb/lmdb")
})

/** Runs an opening while no process commits, and none opens or closes. */
const apart = <A, E, R>(
  gate: Gate,
  door: Door,
  directory: string,
  opening: Effect.Effect<A, E, R>
): Effect.Effect<A, E | CannotOpen, R> =>
  Effect.acquireUseRelease(
    Effect.tryPromise({
      try: (signal) => door.enterAfter(() => gate.enterToOpen(signal), signal),
      catch: (cause) => new CannotOpen({ path: directory, reason: reasonOf(cause), detail: said(cause) })
    }).pipe(
      Effect.timeoutOrElse({
        duration: openTimeout,
        orElse: () => refuse(directory, "busy", `another process has been committing for ${openTimeout}`)
      }),
      Effect.interruptible
    ),
    () => opening,
    (leave) => Effect.sync(leave)
  )

const within = (door: Door) => <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.acquireUseRelease(Effect.promise(() => door.enter()), () => effect, (leave) => Effect.sync(leave))

const openEnvironment = Effect.fnUntraced(
  function*(lmdb: Lmdb, directory: string, identity: string, durability: Durability) {
    yield* create(lmdb, directory)
    const door = new Door(identity)
    const gate = yield* within(door)(openGate(lmdb, directory))
    const opening = Effect.gen(function*() {
      const root = yield* openData(lmdb, directory, durability)
      yield* Effect.tapError(checkFormat(root, directory), () => Effect.promise(() => root.close()))
      return new Environment(root, gate, door, directory, durability)
    })
    return yield* Effect.onError(
      apart(gate, door, directory, opening),
      () => within(door)(Effect.promise(() => gate.close()))
    )
  }
)

/** Opens, or takes what is open in this process already. */
export const acquire = Effect.fnUntraced(
  function*(directory: string, durability: Durability): Effect.fn.Return<Environment, LmdbError> {
    if (!isMainThread) return yield* new WorkerThreadUnsupported()
    const lmdb = yield* Effect.tryPromise({
      try: () => import("lmdb"),
      catch: (cause) => new LmdbUnavailable({ detail: said(cause) })
    })
    const identity = yield* prepare(directory)
    return yield* inTurn(identity)(Effect.gen(function*() {
      const open = shared.get(identity)
      if (open === undefined) {
        const environment = yield* openEnvironment(lmdb, directory, identity, durability)
        shared.set(identity, { environment, users: 1 })
        return environment
      }
      if (open.environment.durability !== durability) {
        const detail = `it is open in this process with durability "${open.environment.durability}"`
        return yield* refuse(directory, "options", detail)
      }
      open.users++
      return open.environment
    }))
  }
)

/** Gives back what {@link acquire} gave; the last one closes it. */
export const release = (environment: Environment): Effect.Effect<void> =>
  Effect.suspend(() => {
    for (const [identity, open] of shared) {
      if (open.environment !== environment) continue
      return inTurn(identity)(Effect.suspend(() => {
        open.users--
        if (open.users > 0) return Effect.void
        shared.delete(identity)
        return Effect.promise(() => environment.close())
      }))
    }
    return Effect.void
  })
