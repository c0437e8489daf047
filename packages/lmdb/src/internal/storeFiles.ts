/**
 * Checks that the open files of a database are still at its path. A process that continues with removed files has a private database,
 * and if only one of the files was replaced, two processes do not share a lock.
 */
import * as Result from "effect/Result"
import * as fs from "node:fs"
import * as path from "node:path"

export const dataFile = "data.mdb"
export const lockFile = "lock.mdb"
export const lockDirectory = "gate"
/** The environments of the lock between openings and commits, see `openCommitLock.ts`. */
export const lockEnvironments = ["committers.mdb", "openers.mdb"] as const
/** LMDB's name of the lock file of an environment that is a file. */
export const lockOf = (file: string): string => `${file}-lock`

const statOf = (file: string) => fs.statSync(file, { bigint: true, throwIfNoEntry: false })

/** Device and inode: unique as long as the file is open. `undefined` if the path does not exist. */
export const identify = (file: string): string | undefined => {
  const stat = statOf(file)
  return stat && `${stat.dev}:${stat.ino}`
}

/** The inode and the path in a line of `/proc/self/maps`. */
const mapping = /^\S+ \S+ \S+ \S+ (\d+) +(\/.*)$/gm

/** The first of the files that this process has mapped into its memory, as LMDB does with open files. Only Linux tells. */
export const findMapped = (files: ReadonlyArray<string>): string | undefined => {
  const maps = Result.getOrElse(Result.try(() => fs.readFileSync("/proc/self/maps", "utf8")), () => "")
  const mapped = [...maps.matchAll(mapping)]
  return files.find((file) => {
    const stat = statOf(file)
    return stat !== undefined &&
      mapped.some(([, inode, found]) => inode === String(stat.ino) && identify(found!) === `${stat.dev}:${stat.ino}`)
  })
}

/** The open files, under every path by which this process has opened them. */
export class StoreFiles {
  /** The path of the first opening. */
  readonly directory: string
  /** One path for each opening. */
  private readonly directories: Array<string> = []
  /** Each path of each file: what is asked at every read and commit is made once. */
  private files: ReadonlyArray<{ readonly file: string; readonly identity: string; readonly isData: boolean }> = []
  private readonly identities: ReadonlyMap<string, string>
  /** The size of the data file. LMDB never shrinks it, and crashes the process when it reads beyond the end. */
  private size = 0n
  private seenAt = Number.NEGATIVE_INFINITY

  /** @param identities of the opened files, by their names in the directory */
  constructor(directory: string, identities: ReadonlyMap<string, string>) {
    this.directory = directory
    this.identities = identities
    this.addPath(directory)
  }

  addPath(directory: string): void {
    this.directories.push(directory)
    this.join()
  }

  removePath(directory: string): void {
    this.directories.splice(this.directories.indexOf(directory), 1)
    this.join()
  }

  private join(): void {
    this.files = [...new Set(this.directories)].flatMap((directory) =>
      Array.from(
        this.identities,
        ([name, identity]) => ({ file: path.join(directory, name), identity, isData: name === dataFile })
      )
    )
  }

  /** What is wrong if a path has another file, none, or a shorter one. The answer may be `maxAgeMillis` old. */
  problem(maxAgeMillis = 0): string | undefined {
    if (performance.now() - this.seenAt < maxAgeMillis) return undefined
    for (const { file, identity, isData } of this.files) {
      const found = Result.try(() => statOf(file))
      if (Result.isFailure(found)) return `${file} cannot be checked: ${found.failure}`
      const stat = found.success
      if (stat === undefined) return `${file} is gone`
      if (`${stat.dev}:${stat.ino}` !== identity) return `${file} was replaced by another file`
      if (!isData) continue
      if (stat.size < this.size) return `${file} was truncated`
      this.size = stat.size
    }
    this.seenAt = performance.now()
    return undefined
  }

  /** Renews the modification times, for cleaners of temporary directories. Only processes of the files' owner can do this. */
  touch(): void {
    const now = new Date()
    // A failure is ignored: `problem` reports missing files.
    for (const { file } of this.files) Result.try(() => fs.utimesSync(file, now, now))
  }
}
