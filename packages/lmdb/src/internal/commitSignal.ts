/**
 * Calls its listeners when any process may have committed, or when the files may have been moved or removed. It keeps the process
 * alive while it has a listener.
 *
 * The operating system reports writes to the database's file. A commit becomes visible shortly after the last report, so a second
 * call follows 2 ms later. Reports can be lost, so a slow poll runs as well. A new subscription is slow, and listeners usually come
 * back at once, so it ends only when a poll finds no listener.
 */
import * as fs from "node:fs"
import * as path from "node:path"

const secondLookMillis = 2
const pollMillis = 250
/** The interval of the poll if the operating system gives no reports. */
const pollAloneMillis = 10

export class CommitSignal {
  private readonly file: string
  private readonly isWriting: () => boolean
  private readonly listeners = new Set<() => void>()
  private watcher: fs.FSWatcher | undefined = undefined
  private poll: NodeJS.Timeout | undefined = undefined
  private firstLook: NodeJS.Immediate | undefined = undefined
  private secondLook: NodeJS.Timeout | undefined = undefined

  /** @param isWriting whether this process writes: the reports are then of its own write, and it calls {@link raise} at the end */
  constructor(directory: string, isWriting: () => boolean) {
    this.isWriting = isWriting
    // On Linux, a watch on the directory reports writes to its files, and the removal of the files and of the directory.
    this.file = process.platform === "linux" ? directory : path.join(directory, "data.mdb")
  }

  listen(listener: () => void): () => void {
    this.listeners.add(listener)
    if (this.poll === undefined) this.start()
    else this.poll.ref()
    return () => {
      this.listeners.delete(listener)
      if (this.listeners.size === 0) this.poll?.unref()
    }
  }

  /** Calls all listeners: a commit of this process is written. */
  readonly raise = (): void => {
    // The poll is for times without a look.
    if (this.listeners.size > 0) this.poll?.refresh()
    for (const listener of this.listeners) listener()
  }

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
    if (!this.isWriting()) {
      this.firstLook ??= setImmediate(() => {
        this.firstLook = undefined
        this.raise()
      })
    }
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
