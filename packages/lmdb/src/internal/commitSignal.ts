/**
 * Tells that there may be new commits, of any process, or that the files were moved or removed.
 *
 * The operating system reports the writes to the database's file. A commit is several writes, and can be seen only just after
 * the last one was reported; so there is a second look soon after. Reports may get lost; so there is a slow poll in any case.
 *
 * To ask for reports anew takes long, and whoever was called listens again a moment later. So only a poll that finds nobody
 * listening ends them. The signal keeps the process alive while it is listened to.
 */
import * as fs from "node:fs"
import * as path from "node:path"

const secondLookMillis = 2
const pollMillis = 250
/** Where reports cannot be had, polling is all there is. */
const pollAloneMillis = 10

export class CommitSignal {
  private readonly file: string
  private readonly listeners = new Set<() => void>()
  private watcher: fs.FSWatcher | undefined = undefined
  private poll: NodeJS.Timeout | undefined = undefined
  private firstLook: NodeJS.Immediate | undefined = undefined
  private secondLook: NodeJS.Timeout | undefined = undefined

  constructor(directory: string) {
    // On Linux, a directory tells of writes to its files, and of what becomes of these and of itself.
    this.file = process.platform === "linux" ? directory : path.join(directory, "data.mdb")
  }

  /** Calls `listener` from now on, until the function returned is called. */
  listen(listener: () => void): () => void {
    this.listeners.add(listener)
    if (this.poll === undefined) this.start()
    else this.poll.ref()
    return () => {
      this.listeners.delete(listener)
      if (this.listeners.size === 0) this.poll?.unref()
    }
  }

  /** A commit of this process. */
  readonly raise = (): void => {
    for (const listener of this.listeners) listener()
  }

  /** Nobody will listen any more. */
  close(): void {
    this.watcher?.close()
    clearInterval(this.poll)
    clearImmediate(this.firstLook)
    clearTimeout(this.secondLook)
    this.watcher =
      this.poll =
      this.firstLook =
      this.secondLook =
        undefined
  }

  private readonly reported = (): void => {
    if (this.listeners.size === 0) return
    this.firstLook ??= setImmediate(() => {
      this.firstLook = undefined
      this.raise()
    })
    this.secondLook ??= setTimeout(() => {
      this.secondLook = undefined
      this.raise()
    }, secondLookMillis)
  }

  private start(): void {
    try {
      this.watcher = fs.watch(this.file, { persistent: false }, this.reported).on("error", () => {
        this.close()
        if (this.listeners.size > 0) this.pollEvery(pollAloneMillis)
      })
      this.pollEvery(pollMillis)
    } catch {
      this.pollEvery(pollAloneMillis)
    }
  }

  private pollEvery(millis: number): void {
    this.poll = setInterval(() => this.listeners.size === 0 ? this.close() : this.raise(), millis)
  }
}
