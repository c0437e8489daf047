/** The watches of this process. After each commit, the newest value of a watched key is compared with the value that its watcher has. */
import * as Bytes from "@effect-fdb/core/Bytes"
import * as FdbError from "@effect-fdb/core/FdbError"
import type { KeyRange } from "@effect-fdb/core/KeyRange"
import { sameValue, type VersionedStore } from "@effect-fdb/core/VersionedStore"
import type { CommitLog } from "./commitLog.ts"
import { fileOf } from "./commitSignal.ts"
import { type Environment, type Reader, toFdbError } from "./environment.ts"
import { containsKey } from "./sortedRanges.ts"
import { textOf } from "./writeBatch.ts"

interface Watcher {
  readonly key: Uint8Array
  readonly baseline: Uint8Array | undefined
  readonly settle: (error?: FdbError.FdbError) => void
}

/** With more keys than these, it takes longer to ask each for its file than to read what was written. */
const mostAsked = 64

export const makeWatchers = (environment: Environment, log: CommitLog) => {
  const byKey = new Map<string, Set<Watcher>>()
  /** Ends the attention to a key. */
  const ignore = new Map<string, () => void>()
  /** The watchers that have not been compared yet. */
  const fresh = new Set<Watcher>()
  /** All other watchers have been compared with the state after the commit of this sequence. */
  let seen = 0
  let unlisten: (() => void) | undefined = undefined
  let closed = false

  const all = (): ReadonlyArray<Watcher> => [...byKey.values()].flatMap((watchers) => [...watchers])

  const remove = (watcher: Watcher): void => {
    fresh.delete(watcher)
    const text = textOf(watcher.key)
    const watchers = byKey.get(text)
    if (watchers?.delete(watcher) !== true || watchers.size > 0) return
    byKey.delete(text)
    ignore.get(text)?.()
    ignore.delete(text)
    if (byKey.size > 0) return
    unlisten?.()
    unlisten = undefined
  }

  const finish = (watcher: Watcher, error?: FdbError.FdbError): void => {
    remove(watcher)
    watcher.settle(error)
  }

  /** The watchers of keys that the commits `seen + 1` to `last` have written; all watchers if the log lacks one of them. */
  const writtenSince = (seen: number, last: number): Iterable<Watcher> => {
    if (log.get(seen + 1) === undefined) return all()
    const found = new Set<Watcher>()
    for (let sequence = seen + 1; sequence <= last; sequence++) {
      const { ranges } = log.get(sequence)!
      // The smaller side is iterated: the written keys or the watched keys.
      const texts = ranges.length <= byKey.size && ranges.every(isSingle)
        ? ranges.map(({ begin }) => textOf(begin))
        : [...byKey].filter(([, [first]]) => containsKey(ranges, first!.key)).map(([text]) => text)
      for (const text of texts) for (const watcher of byKey.get(text) ?? []) found.add(watcher)
    }
    return found
  }

  /** The watchers of the keys that belong to some files. */
  const watchersIn = (files: ReadonlySet<string>): Iterable<Watcher> =>
    [...byKey].flatMap(([text, watchers]) => files.has(fileOf(text)) ? [...watchers] : [])

  const compare = (reader: Reader, files: ReadonlySet<string> | undefined): void => {
    const { sequence } = reader.head
    const due = new Set(fresh)
    fresh.clear()
    // The files tell at once who may be concerned. What else the commits have written, they report as well.
    if (files !== undefined && byKey.size <= mostAsked) { for (const watcher of watchersIn(files)) due.add(watcher) }
    else if (sequence !== seen) {
      log.catchUp(reader)
      for (const watcher of writtenSince(seen, sequence)) due.add(watcher)
      seen = sequence
    }
    for (const watcher of due) {
      if (!sameValue(reader.get(watcher.key), watcher.baseline)) finish(watcher)
    }
  }

  /** Compares the watched values. All watches fail if the database cannot be read. */
  const check = (files?: ReadonlySet<string>): void => {
    if (byKey.size === 0) return
    try {
      environment.read((reader) => compare(reader, files))
    } catch (cause) {
      const error = toFdbError(cause, "watch")
      for (const watcher of all()) finish(watcher, error)
    }
  }

  const add: VersionedStore["watch"] = (key, baseline, settle) => {
    const watcher: Watcher = { key, baseline, settle }
    if (closed) {
      settle(closedError)
      return () => {}
    }
    const text = textOf(key)
    // The signal reports every commit from here on; the first comparison finds earlier ones.
    unlisten ??= environment.signal.listen(check)
    const watchers = byKey.get(text)
    if (watchers === undefined) ignore.set(text, environment.signal.attend(text))
    byKey.set(text, (watchers ?? new Set()).add(watcher))
    // Watches are added in groups, and opening a reader for each is slow.
    if (fresh.size === 0) queueMicrotask(() => check())
    fresh.add(watcher)
    return () => remove(watcher)
  }

  const close = (): void => {
    closed = true
    for (const watcher of all()) finish(watcher, closedError)
  }

  return { add, close }
}

const isSingle = ({ begin, end }: KeyRange): boolean =>
  end.length === begin.length + 1 && end[begin.length] === 0 && Bytes.equals(begin, end.subarray(0, begin.length))

const closedError = FdbError.make(1101, "watch", "the LMDB database was closed")
