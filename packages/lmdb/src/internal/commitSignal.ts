/**
 * Calls its listeners when any process may have committed to a key that they watch, or when the files may have been moved or removed.
 * It keeps the process alive while it has a listener.
 *
 * Each key belongs to one of {@link buckets} files in the directory `signals`. A process watches the files of its keys by means of
 * the operating system. A process that has committed then writes to the files of the keys that it has written. So a commit wakes each
 * process that watches one of its keys, once, and few others. A file is created by the first process that watches it. If there is
 * none, nobody watches: a process that creates it later reads the keys afterwards, and sees the commit.
 *
 * A report can be missing: a process may be killed between its commit and the report, and the files may be removed. So a slow poll
 * runs as well.
 */
import * as Result from "effect/Result"
import * as fs from "node:fs"
import * as path from "node:path"
import * as permissions from "./permissions.ts"

export const signalDirectory = "signals"

const buckets = 256
/** The file for commits to many keys. Every process with a listener watches it. */
const everyKey = "all"
/** A commit that concerns more files is reported by {@link everyKey} only. */
const maxFiles = 16

const defaultPollMillis = 250
/** The interval of the poll if the operating system gives no reports. */
const pollAloneMillis = 10

interface Signal {
  /** The number of watched keys. At zero, the next poll closes it: listeners usually come back at once. */
  keys: number
  /** `undefined` if it cannot be watched. */
  watcher: fs.FSWatcher | undefined
}

/** Tells in which files commits were reported; `undefined` if there may be commits to any key. */
type Listener = (files: ReadonlySet<string> | undefined) => void

/** The file of a key, given by `textOf`: its hash (FNV-1a). */
export const fileOf = (text: string): string => {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return String((hash >>> 0) % buckets)
}

const filesOf = (texts: Iterable<string>): Iterable<string> => {
  const files = new Set<string>()
  for (const text of texts) {
    if (files.add(fileOf(text)).size > maxFiles) return [everyKey]
  }
  return files
}

export class CommitSignal {
  private readonly directory: string
  private readonly rights: permissions.Permissions
  private readonly pollMillis: number
  private readonly listeners = new Set<Listener>()
  private readonly signals = new Map<string, Signal>()
  private poll: NodeJS.Timeout | undefined = undefined
  /** When what is watched was last put in order. */
  private tidiedAt = 0
  private look: NodeJS.Immediate | undefined = undefined
  /** What was reported since the last look; `undefined` for every key. */
  private news: Set<string> | undefined = new Set()

  /** @param directory of the database */
  constructor(directory: string, rights: permissions.Permissions, pollMillis = defaultPollMillis) {
    this.directory = path.join(directory, signalDirectory)
    this.rights = rights
    this.pollMillis = pollMillis
  }

  listen(listener: Listener): () => void {
    this.listeners.add(listener)
    if (this.poll === undefined) {
      this.pollEvery(this.pollMillis)
      this.use(everyKey).keys = 1
    } else {
      this.poll.ref()
    }
    return () => {
      this.listeners.delete(listener)
      if (this.listeners.size === 0) this.poll?.unref()
    }
  }

  /** Listens to commits to a key. The returned function ends it. */
  attend(text: string): () => void {
    const signal = this.use(fileOf(text))
    signal.keys++
    return () => void signal.keys--
  }

  /** Calls the listeners of the other processes: a commit of this process to these keys is written. */
  announce(texts: Iterable<string>): void {
    for (const name of filesOf(texts)) {
      const file = path.join(this.directory, name)
      if (!fs.existsSync(file)) continue
      // It may be removed meanwhile.
      Result.try(() => {
        const descriptor = fs.openSync(file, fs.constants.O_WRONLY)
        try {
          fs.writeSync(descriptor, ".", 0)
        } finally {
          fs.closeSync(descriptor)
        }
      })
    }
  }

  /** Calls the listeners of this process. */
  raise(files?: ReadonlySet<string>): void {
    // The poll is for times without a look at all keys.
    if (this.listeners.size > 0 && files === undefined) this.poll?.refresh()
    for (const listener of this.listeners) listener(files)
  }

  close(): void {
    for (const { watcher } of this.signals.values()) watcher?.close()
    this.signals.clear()
    clearInterval(this.poll)
    clearImmediate(this.look)
    this.poll = this.look = undefined
  }

  private use(file: string): Signal {
    const known = this.signals.get(file)
    if (known !== undefined) return known
    const signal: Signal = { keys: 0, watcher: undefined }
    this.signals.set(file, signal)
    this.watch(file, signal)
    return signal
  }

  private watch(file: string, signal: Signal): void {
    const name = path.join(this.directory, file)
    const reported = (isLost: boolean): void => {
      if (isLost) this.lose(signal)
      this.reported(isLost || file === everyKey ? undefined : file)
    }
    const watcher = Result.try(() => {
      permissions.makeDirectory(this.directory, this.rights)
      permissions.makeFile(name, new Uint8Array(0), this.rights)
      return fs.watch(name, { persistent: false }, (event) => reported(event === "rename"))
    })
    if (Result.isFailure(watcher)) return this.lose(signal)
    signal.watcher = watcher.success.on("error", () => reported(true))
  }

  private lose(signal: Signal): void {
    signal.watcher?.close()
    signal.watcher = undefined
    this.pollEvery(pollAloneMillis)
  }

  private reported(file: string | undefined): void {
    if (this.listeners.size === 0) return
    if (file === undefined) this.news = undefined
    else this.news?.add(file)
    this.look ??= setImmediate(() => {
      const { news } = this
      this.look = undefined
      this.news = new Set()
      this.raise(news)
    })
  }

  private pollEvery(millis: number): void {
    clearInterval(this.poll)
    this.tidiedAt = performance.now()
    this.poll = setInterval(() => {
      this.raise()
      if (this.listeners.size === 0) this.close()
      else if (performance.now() - this.tidiedAt >= this.pollMillis) this.tidy()
    }, millis)
  }

  /** Begins and ends watching. Not at once: while the database is being removed, no file must be made again. */
  private tidy(): void {
    this.pollEvery(this.pollMillis)
    for (const [file, signal] of this.signals) {
      if (signal.keys === 0) {
        signal.watcher?.close()
        this.signals.delete(file)
      } else if (signal.watcher === undefined) {
        this.watch(file, signal)
      }
    }
  }
}
