/**
 * The files of a database, and whether those that are open are still the ones at its path.
 *
 * LMDB holds files open whatever becomes of their names. A process that goes on with files that were moved or removed has a
 * database of its own; and where only one of the files was replaced, two processes have no lock in common.
 */
import * as Result from "effect/Result"
import * as fs from "node:fs"
import * as path from "node:path"

export const dataFile = "data.mdb"
export const lockFile = "lock.mdb"
export const lockDirectory = "gate"
/** The environments of the lock between openings and commits, see `openCommitLock.ts`. */
export const lockEnvironments = ["committers.mdb", "openers.mdb"] as const
/** As LMDB names the lock file of an environment that is a file. */
export const lockOf = (file: string): string => `${file}-lock`

const statOf = (file: string) => fs.statSync(file, { bigint: true, throwIfNoEntry: false })

/** Device and inode, which a file that is held open keeps to itself; `undefined` if there is nothing at a path. */
export const identify = (file: string): string | undefined => {
  const stat = statOf(file)
  return stat && `${stat.dev}:${stat.ino}`
}

/** Of a line of what this process has mapped into its memory: the inode, and the path behind it. */
const mapping = /^\S+ \S+ \S+ \S+ (\d+) +(\/.*)$/gm

/**
 * The first of some files that this process has mapped, as LMDB does with the files that it has open, whichever copy of it;
 * `undefined` where the operating system does not tell: only Linux does.
 */
export const findMapped = (files: ReadonlyArray<string>): string | undefined => {
  const maps = Result.getOrElse(Result.try(() => fs.readFileSync("/proc/self/maps", "utf8")), () => "")
  const mapped = [...maps.matchAll(mapping)]
  return files.find((file) => {
    const stat = statOf(file)
    return stat !== undefined &&
      mapped.some(([, inode, found]) => inode === String(stat.ino) && identify(found!) === `${stat.dev}:${stat.ino}`)
  })
}

/** The files that are open, by all paths under which this process has opened them. */
export class StoreFiles {
  /** The path of the first who has opened them. */
  readonly directory: string
  /** One for each who has opened them. */
  private readonly directories: Array<string>
  private readonly identities: ReadonlyMap<string, string>
  /** Of the data. LMDB never shrinks it, and dies when it reads behind the end. */
  private size = 0n
  private seenAt = Number.NEGATIVE_INFINITY

  /** @param identities of the files when they were opened, by their names in the directory */
  constructor(directory: string, identities: ReadonlyMap<string, string>) {
    this.directory = directory
    this.directories = [directory]
    this.identities = identities
  }

  /** They are open under this path too. */
  addPath(directory: string): void {
    this.directories.push(directory)
  }

  removePath(directory: string): void {
    this.directories.splice(this.directories.indexOf(directory), 1)
  }

  /** What is wrong where something else is at a path, or less of it than there was; or was so a moment ago. */
  problem(maxAgeMillis = 0): string | undefined {
    if (performance.now() - this.seenAt < maxAgeMillis) return undefined
    for (const directory of new Set(this.directories)) {
      for (const [name, identity] of this.identities) {
        const file = path.join(directory, name)
        const found = Result.try(() => statOf(file))
        if (Result.isFailure(found)) return `${file} cannot be looked at: ${found.failure}`
        const stat = found.success
        if (stat === undefined) return `${file} is gone`
        if (`${stat.dev}:${stat.ino}` !== identity) return `${file} is another file than the one that is open`
        if (name !== dataFile) continue
        if (stat.size < this.size) return `${file} was cut off`
        this.size = stat.size
      }
    }
    this.seenAt = performance.now()
    return undefined
  }

  /**
   * Makes them young, for those who tidy up temporary directories remove what is old, and most of these are never written to.
   * Files of another user have to be left to that user's processes.
   */
  touch(): void {
    const now = new Date()
    for (const directory of this.directories) {
      for (const name of this.identities.keys()) {
        // Where this fails, `problem` tells.
        Result.try(() => fs.utimesSync(path.join(directory, name), now, now))
      }
    }
  }
}
