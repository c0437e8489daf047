/** The watches of this process. After each commit, the newest value of a watched key is compared with the value that its watcher has. */
import * as Bytes from "@effect-fdb/core/Bytes"
import * as FdbError from "@effect-fdb/core/FdbError"
import type { KeyRange } from "@effect-fdb/core/KeyRange"
import { sameValue, type VersionedStore } from "@effect-fdb/core/VersionedStore"
import type { CommitLog } from "./commitLog.ts"
import { type Environment, type Reader, toFdbError } from "./environment.ts"
import { has } from "./sortedRanges.ts"
import { textOf } from "./writeBatch.ts"

interface Watcher {
  readonly key: Uint8Array
  readonly baseline: Uint8Array | undefined
  readonly settle: (error?: FdbError.FdbError) => void
}

export class Watchers {
  private readonly environment: Environment
  private readonly log: CommitLog
  private readonly byKey = new Map<string, Set<Watcher>>()
  /** The watchers that have not been compared yet. */
  private readonly fresh = new Set<Watcher>()
  /** All other watchers have been compared with the state after the commit of this sequence. */
  private seen = 0
  private unlisten: (() => void) | undefined = undefined
  private closed = false

  constructor(environment: Environment, log: CommitLog) {
    this.environment = environment
    this.log = log
  }

  readonly add: VersionedStore["watch"] = (key, baseline, settle) => {
    const watcher: Watcher = { key, baseline, settle }
    if (this.closed) {
      settle(closedError)
      return () => {}
    }
    const text = textOf(key)
    this.byKey.set(text, (this.byKey.get(text) ?? new Set()).add(watcher))
    // The signal reports every commit from here on; the first comparison finds earlier ones.
    this.unlisten ??= this.environment.signal.listen(this.check)
    // Watches are added in groups, and opening a reader for each is slow.
    if (this.fresh.size === 0) queueMicrotask(this.check)
    this.fresh.add(watcher)
    return () => this.remove(watcher)
  }

  close(): void {
    this.closed = true
    for (const watcher of this.all()) this.finish(watcher, closedError)
  }

  /** Compares the watched values. All watches fail if the database cannot be read. */
  private readonly check = (): void => {
    if (this.byKey.size === 0) return
    try {
      this.environment.read((reader) => this.compare(reader))
    } catch (cause) {
      const error = toFdbError(cause, "watch")
      for (const watcher of this.all()) this.finish(watcher, error)
    }
  }

  private compare(reader: Reader): void {
    const { sequence } = reader.head
    const due = new Set(this.fresh)
    this.fresh.clear()
    if (sequence !== this.seen) {
      this.log.catchUp(reader)
      for (const watcher of this.writtenSince(this.seen, sequence)) due.add(watcher)
      this.seen = sequence
    }
    for (const watcher of due) {
      if (!sameValue(reader.get(watcher.key), watcher.baseline)) this.finish(watcher)
    }
  }

  /** The watchers of keys that the commits `seen + 1` to `last` have written; all watchers if the log lacks one of them. */
  private writtenSince(seen: number, last: number): Iterable<Watcher> {
    if (this.log.get(seen + 1) === undefined) return [...this.all()]
    const found = new Set<Watcher>()
    for (let sequence = seen + 1; sequence <= last; sequence++) {
      const { ranges } = this.log.get(sequence)!
      // The smaller side is iterated: the written keys or the watched keys.
      const texts = ranges.length <= this.byKey.size && ranges.every(isSingle)
        ? ranges.map(({ begin }) => textOf(begin))
        : [...this.byKey].filter(([, [first]]) => has(ranges, first!.key)).map(([text]) => text)
      for (const text of texts) for (const watcher of this.byKey.get(text) ?? []) found.add(watcher)
    }
    return found
  }

  private *all(): Iterable<Watcher> {
    for (const watchers of this.byKey.values()) yield* watchers
  }

  private finish(watcher: Watcher, error?: FdbError.FdbError): void {
    this.remove(watcher)
    watcher.settle(error)
  }

  private remove(watcher: Watcher): void {
    this.fresh.delete(watcher)
    const text = textOf(watcher.key)
    const watchers = this.byKey.get(text)
    if (watchers?.delete(watcher) !== true || watchers.size > 0) return
    this.byKey.delete(text)
    if (this.byKey.size > 0) return
    this.unlisten?.()
    this.unlisten = undefined
  }
}

const isSingle = ({ begin, end }: KeyRange): boolean => Bytes.equals(end, Bytes.successor(begin))

const closedError = FdbError.make(1101, "watch", "the LMDB database was closed")
