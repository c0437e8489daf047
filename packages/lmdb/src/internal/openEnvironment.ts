/**
 * Opens the database of a directory, or fails with the reason. The files are checked before LMDB opens them, because its errors for
 * foreign files are ambiguous.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as lmdbTypes from "lmdb"
import { randomBytes } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { CannotOpen, type CannotOpenReason } from "../LmdbError.ts"
import { CommitSignal } from "./commitSignal.ts"
import type { Durability } from "./durability.ts"
import { Environment } from "./environment.ts"
import * as layout from "./layout.ts"
import { makeOpenCloseMutex, type OpenCloseMutex } from "./openCloseMutex.ts"
import { OpenCommitLock } from "./openCommitLock.ts"
import * as permissions from "./permissions.ts"
import { readersOf, type Root } from "./rootDatabase.ts"
import { dataFile, identify, lockDirectory, lockEnvironments, lockFile, lockOf, StoreFiles } from "./storeFiles.ts"

export type Lmdb = typeof lmdbTypes

/** The time that an opening waits for commits. */
export const openTimeout = "10 seconds"

/** The size of the memory map. It takes addresses, not memory. */
const mapSize = 2 ** 34
const maxReaders = 2048
/** A page for the header, and a slot of 64 bytes for each reader. */
const lockFileLength = maxReaders * 64 + 4096

const headerLength = 32
/** The magic number follows the header of the first page, whose length depends on LMDB's version. */
const magic = 0xbeefc0de
const magicOffsets = [16, 24]

export const said = (cause: unknown): string => cause instanceof Error ? cause.message : String(cause)

/** Messages of Node (which begin with a code) and of LMDB. */
const reasons: ReadonlyArray<readonly [RegExp, CannotOpenReason]> = [
  [/^ENOENT/, "missing-parent"],
  [/^(ENOTDIR|EEXIST)/, "not-a-directory"],
  [/^(EACCES|EPERM|EROFS)|Permission denied|Read-only file system|not permitted/, "not-writable"],
  [/^(ENOSPC|EDQUOT)|No space left|Disk quota|MAP_FULL/, "disk-full"],
  [/MDB_INVALID|MDB_VERSION_MISMATCH/, "not-lmdb"],
  [/MDB_CORRUPTED|MDB_PAGE_NOTFOUND|MDB_PANIC/, "corrupt"]
]

export const refusal = (path: string, reason: CannotOpenReason, detail: string): CannotOpen =>
  new CannotOpen({ path, reason, detail })

/** What lmdb-js says when LMDB refuses it a reader: another process, of another PID namespace, has locked the byte of this pid. */
const noReader = /null \(reading 'use'\)/

const toCannotOpen = (directory: string) => (cause: unknown): CannotOpen => {
  if (cause instanceof CannotOpen) return cause
  if (noReader.test(said(cause))) {
    const detail =
      `a process of another PID namespace, such as another container's, has it open and the pid ${process.pid}, ` +
      "as this one has: let them share a PID namespace"
    return refusal(directory, "other", detail)
  }
  const [, reason] = reasons.find(([pattern]) => pattern.test(said(cause))) ?? [cause, "other" as const]
  return refusal(directory, reason, said(cause))
}

const attempt = <A>(directory: string, run: () => A): Effect.Effect<A, CannotOpen> =>
  Effect.try({ try: run, catch: toCannotOpen(directory) })

export interface Options {
  readonly durability: Durability
  /** For a database that is created. */
  readonly access: permissions.Access
}

/** Creates the directory if its parent exists, checks that it can be used, and returns its identity. */
export const prepare = (directory: string, access: permissions.Access): Effect.Effect<string, CannotOpen> =>
  attempt(directory, () => {
    if (!fs.existsSync(directory)) permissions.makeDirectory(directory, permissions.of(directory, access))
    const { R_OK, W_OK, X_OK } = fs.constants
    if (!fs.statSync(directory).isDirectory()) {
      throw refusal(directory, "not-a-directory", "the path names a file")
    }
    fs.accessSync(directory, R_OK | W_OK | X_OK)
    const file = path.join(directory, dataFile)
    if (fs.existsSync(file)) {
      fs.accessSync(file, R_OK | W_OK)
      if (!hasMagic(file)) throw refusal(directory, "not-lmdb", "data.mdb is not an LMDB file")
    }
    return identify(directory)!
  })

const hasMagic = (file: string): boolean => {
  const header = Buffer.alloc(headerLength)
  const descriptor = fs.openSync(file, "r")
  try {
    return fs.readSync(descriptor, header) === headerLength &&
      magicOffsets.some((offset) => header.readUInt32LE(offset) === magic)
  } finally {
    fs.closeSync(descriptor)
  }
}

const shape = {
  encoding: "binary",
  keyEncoding: "binary",
  maxReaders,
  // A commit goes to the disk at once and does not wait for others of the same turn of the event loop.
  eventTurnBatching: false,
  batchStartThreshold: Number.MAX_SAFE_INTEGER,
  // With overlapping sync, a process that is killed after it has released the lock loses its commit.
  overlappingSync: false
} as const

const openRoot = (lmdb: Lmdb, options: object): Root =>
  lmdb.open({ ...shape, ...options } as Parameters<Lmdb["open"]>[0]) as Root

/** Two pages of the largest size that LMDB supports. */
const roomLength = 2 ** 17

/** Checks that the disk has space for the first pages of a file. Without it, lmdb-js crashes the process (SIGSEGV). */
const makeRoom = (file: string): void => {
  const room = `${file}.room-${process.pid}`
  try {
    fs.writeFileSync(room, Buffer.alloc(roomLength), { mode: 0o600 })
  } finally {
    fs.rmSync(room, { force: true })
  }
}

interface Opening {
  readonly lmdb: Lmdb
  readonly directory: string
  readonly rights: permissions.Permissions
  /** What the files were just before they were opened. */
  readonly identities: Map<string, string>
}

/**
 * Opens an environment. Creates its lock file first, because LMDB would leave holes in it: access to a hole kills the process
 * (SIGBUS) when the disk is full. LMDB initializes an existing lock file that no process has locked.
 */
const openFiles = (
  { directory, identities, lmdb, rights }: Opening,
  data: string,
  lock: string,
  options: object
): Root => {
  permissions.makeFile(path.join(directory, lock), Buffer.alloc(lockFileLength), rights)
  const file = path.join(directory, data)
  if (fs.statSync(file).size === 0) makeRoom(file)
  for (const name of [data, lock]) identities.set(name, identify(path.join(directory, name)) ?? "")
  return openRoot(lmdb, options)
}

const openLock = (opening: Opening): Effect.Effect<OpenCommitLock, CannotOpen> => {
  const { directory, rights } = opening
  const opened: Array<Root> = []
  return attempt(directory, () => {
    permissions.makeDirectory(path.join(directory, lockDirectory), rights)
    for (const file of lockEnvironments) {
      const name = path.join(lockDirectory, file)
      permissions.makeFile(path.join(directory, name), Buffer.alloc(0), rights)
      const options = { path: path.join(directory, name), noSubdir: true, noSync: true }
      opened.push(openFiles(opening, name, lockOf(name), options))
    }
    const [committers, openers] = opened
    return new OpenCommitLock(committers!, openers!)
  }).pipe(
    Effect.tapError(() => Effect.promise(() => Promise.all(opened.map((root) => root.close()))))
  )
}

/**
 * Creates a database with the first records if there is none. It is built in a temporary directory and put in place by one link,
 * so that several processes may do this at the same time and may be killed while they do.
 */
const create = async ({ directory, lmdb, rights }: Opening, head: layout.Head): Promise<void> => {
  const file = path.join(directory, dataFile)
  if (fs.existsSync(file)) return
  const draft = fs.mkdtempSync(path.join(directory, "new-"))
  try {
    permissions.makeFile(path.join(draft, lockFile), Buffer.alloc(lockFileLength), rights)
    makeRoom(path.join(draft, dataFile))
    const root = openRoot(lmdb, { path: draft, noSubdir: false, mapSize })
    try {
      root.transactionSync(() => {
        root.putSync(layout.formatKey, Buffer.from(layout.format))
        root.putSync(layout.headKey, layout.encodeHead(head))
        root.putSync(layout.identityKey, randomBytes(16))
      })
    } finally {
      await root.close()
    }
    permissions.putFile(path.join(draft, dataFile), file, rights)
  } finally {
    fs.rmSync(draft, { recursive: true, force: true })
  }
}

/** Checks the layout and upgrades the previous one. The caller excludes commits and openings. */
const checkFormat = (root: Root, directory: string): void => {
  const format = root.getBinary(layout.formatKey)?.toString()
  if (format === layout.format) return
  if (format === layout.formatBefore) return upgrade(root, directory)
  throw format?.startsWith("effect-fdb") === true
    ? refusal(directory, "format", `it has the layout "${format}", this version knows "${layout.format}"`)
    : refusal(directory, "foreign", "it holds data that @effect-fdb/lmdb has not written")
}

/**
 * Processes of an earlier version check the layout only when they open the database. So none of them may have it open. LMDB lists
 * them as readers, because each has read the layout.
 */
const upgrade = (root: Root, directory: string): void => {
  root.readerCheck()
  const others = new Set(readersOf(root).map(({ pid }) => pid).filter((pid) => pid !== process.pid))
  if (others.size > 0) {
    const detail =
      "it has the layout of an earlier version of @effect-fdb/lmdb, and processes of that version have it open: "
    throw refusal(directory, "outdated", detail + [...others].join(", "))
  }
  root.transactionSync(() => {
    if (!root.doesExist(layout.identityKey)) root.putSync(layout.identityKey, randomBytes(16))
    root.putSync(layout.formatKey, Buffer.from(layout.format))
  })
}

/** Fails as `busy` after {@link openTimeout}. */
export const inTime = (directory: string, detail: string) => <A, E>(effect: Effect.Effect<A, E>) =>
  effect.pipe(
    Effect.timeoutOrElse({
      duration: openTimeout,
      orElse: () => Effect.fail(refusal(directory, "busy", detail))
    }),
    Effect.interruptible
  )

const between = <E>(enter: Effect.Effect<() => void, E>) => <A, E2, R>(effect: Effect.Effect<A, E2, R>) =>
  Effect.acquireUseRelease(enter, () => effect, (leave) => Effect.sync(leave))

const enterToOpen = (lock: OpenCommitLock, mutex: OpenCloseMutex, directory: string) =>
  Effect.tryPromise({
    try: (signal) => mutex.enter(() => lock.enter("opener", signal), signal),
    catch: toCannotOpen(directory)
  }).pipe(inTime(directory, `another process has been committing for ${openTimeout}`))

/** Opens the database. Tries again if a file was replaced meanwhile. */
export const openEnvironment = Effect.fnUntraced(
  function*(lmdb: Lmdb, directory: string, identity: string, { access, durability }: Options) {
    const rights = yield* attempt(directory, () => permissions.of(directory, access))
    const opening: Opening = { lmdb, directory, rights, identities: new Map() }
    const head = layout.firstHead(yield* Clock.Clock)
    yield* Effect.tryPromise({ try: () => create(opening, head), catch: toCannotOpen(directory) })
    const mutex = makeOpenCloseMutex(identity)
    const exclusively = between(Effect.promise(() => mutex.enter()))
    const lock = yield* exclusively(openLock(opening))
    const openEnvironment = Effect.gen(function*() {
      const options = { path: directory, noSubdir: false, mapSize, noSync: durability === "process" }
      const root = yield* attempt(directory, () => openFiles(opening, dataFile, lockFile, options))
      return yield* attempt(directory, () => {
        const files = new StoreFiles(directory, opening.identities)
        const problem = files.problem()
        if (problem !== undefined) throw refusal(directory, "replaced", problem)
        checkFormat(root, directory)
        return new Environment(root, lock, mutex, files, new CommitSignal(directory, rights), durability)
      }).pipe(Effect.tapError(() => Effect.promise(() => root.close())))
    })
    return yield* Effect.onError(
      between(enterToOpen(lock, mutex, directory))(openEnvironment),
      () => exclusively(Effect.promise(() => lock.close()))
    )
  },
  Effect.retry({ times: 2, while: ({ reason }: CannotOpen) => reason === "replaced" })
)
