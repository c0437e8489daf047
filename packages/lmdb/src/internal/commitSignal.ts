/**
 * Tells that there may be new commits, of any process.
 *
 * The operating system reports writes to the database's file, which is what a commit is; so committers do nothing for it.
 * Reports get lost, and one may come just before the commit can be seen; so each is followed by a second look soon after,
 * and by a slow poll in any case. However fast commits come, looks are at least `pauseMillis` apart.
 *
 * This is the side of the operating system: real time, and no fibers. It keeps the process alive while it is listened to.
 */
import * as fs from "node:fs"

const pauseMillis = 2
const pollMillis = 100
/** Where reports cannot be had, polling is all there is. */
const pollAloneMillis = 10

export class CommitSignal {
  private readonly file: string
  private readonly listeners = new Set<() => void>()
  private watcher: fs.FSWatcher | undefined = undefined
  private poll: NodeJS.Timeout | undefined = undefined
  private secondLook: NodeJS.Timeout | undefined = undefined

  constructor(file: string) {
    this.file = file
  }

  /** Calls `listener` from now on, until the function returned is called. */
  listen(listener: () => void): () => void {
    this.listeners.add(listener)
    if (this.listeners.size === 1) this.start()
    return () => {
      this.listeners.delete(listener)
      if (this.listeners.size === 0) this.stop()
    }
  }

  /** A commit of this process. */
  readonly raise = (): void => {
    for (const listener of this.listeners) listener()
  }

  private readonly reported = (): void => {
    if (this.secondLook !== undefined || this.listeners.size === 0) return
    this.secondLook = setTimeout(() => {
      this.secondLook = undefined
      this.raise()
    }, pauseMillis)
    this.raise()
  }

  private start(): void {
    this.watcher = watchFile(this.file, this.reported, () => this.pollAlone())
    this.poll = setInterval(this.raise, this.watcher === undefined ? pollAloneMillis : pollMillis)
  }

  private pollAlone(): void {
    if (this.listeners.size === 0) return
    this.watcher?.close()
    this.watcher = undefined
    clearInterval(this.poll)
    this.poll = setInterval(this.raise, pollAloneMillis)
  }

  private stop(): void {
    this.watcher?.close()
    this.watcher = undefined
    clearInterval(this.poll)
    clearTimeout(this.secondLook)
    this.secondLook = undefined
  }
}

/** `undefined` where the operating system has no watch to give. */
const watchFile = (file: string, onChange: () => void, onError: () => void): fs.FSWatcher | undefined => {
  try {
    return fs.watch(file, { persistent: false }, onChange).on("error", onError)
  } catch {
    return undefined
  }
}
