/**
 * The files of a database: how they are made, and whether those that are open are still the ones at its path.
 *
 * LMDB holds files open whatever becomes of their names. A process that goes on with files that have no name any more, or
 * another one, has a database of its own; and where only one of the files was replaced, two processes have no lock in common.
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

/** Device and inode; a file that is held open keeps both to itself. */
const identityOf = (file: string): { readonly identity: string; readonly size: bigint } | undefined => {
  const stat = fs.statSync(file, { bigint: true, throwIfNoEntry: false })
  return stat === undefined ? undefined : { identity: `${stat.dev}:${stat.ino}`, size: stat.size }
}

/** What a path leads to; `undefined` if there is nothing. */
export const identify = (file: string): string | undefined => identityOf(file)?.identity

/** How long what was found is good enough, where it is asked for often. */
const freshMillis = 5

/** How often files are made young. */
const touchMillis = 3_600_000

/** The files that are open, by all paths under which this process has opened them. */
export class StoreFiles {
  /** The path of the first who has opened them. */
  readonly directory: string
  private readonly directories = new Map<string, number>()
  private readonly identities: ReadonlyMap<string, string>
  /** Of the data. LMDB never shrinks it, and dies when it reads behind the end. */
  private size = 0n
  private seenAt = Number.NEGATIVE_INFINITY
  private touchedAt = Number.NEGATIVE_INFINITY

  /** @param identities of the files when they were opened, by their names in the directory */
  constructor(directory: string, identities: ReadonlyMap<string, string>) {
    this.directory = directory
    this.directories.set(directory, 1)
    this.identities = identities
    this.touch()
  }

  /** They are open under this path too. */
  addPath(directory: string): void {
    this.directories.set(directory, (this.directories.get(directory) ?? 0) + 1)
  }

  removePath(directory: string): void {
    const users = (this.directories.get(directory) ?? 0) - 1
    if (users > 0) this.directories.set(directory, users)
    else this.directories.delete(directory)
  }

  /** What is wrong where something else is at a path, or less of it than there was. */
  problem(): string | undefined {
    for (const directory of this.directories.keys()) {
      for (const [name, identity] of this.identities) {
        const file = path.join(directory, name)
        const found = Result.try(() => identityOf(file))
        if (Result.isFailure(found)) return `${file} cannot be looked at: ${found.failure}`
        if (found.success === undefined) return `${file} is gone`
        if (found.success.identity !== identity) return `${file} is another file than the one that is open`
        if (name !== dataFile) continue
        if (found.success.size < this.size) return `${file} was cut off`
        this.size = found.success.size
      }
    }
    this.seenAt = performance.now()
    return undefined
  }

  /** As {@link problem}, a moment ago perhaps. */
  recentProblem(): string | undefined {
    return performance.now() - this.seenAt < freshMillis ? undefined : this.problem()
  }

  /**
   * Makes them young, for those who tidy up temporary directories remove what is old, and most of these are never written to.
   * Files of another user have to be left to that user's processes.
   */
  touch(): void {
    if (performance.now() - this.touchedAt < touchMillis) return
    this.touchedAt = performance.now()
    const now = new Date()
    for (const directory of this.directories.keys()) {
      for (const name of this.identities.keys()) {
        try {
          fs.utimesSync(path.join(directory, name), now, now)
        } catch {
          // Whether it is there is found out by `problem`.
        }
      }
    }
  }
}
