/**
 * Why an LMDB database could not be opened. Each error says what to do about it.
 */
import * as Schema from "effect/Schema"

/** What to do, by what is wrong. */
const hints = {
  /** Neither the directory nor the one that it is to be created in is there. */
  "missing-parent": "Create the parent directory first; only the last part of the path is created",
  /** The path leads to something else. */
  "not-a-directory": "Give the path of a directory that is the database's own",
  /** This user may not write there, or the file system is read-only. */
  "not-writable": "Give this user the right to write to the directory and the files in it; readers write as well",
  /** There is no room for an empty database. */
  "disk-full": "Free some space on this file system, or choose a path on another",
  /** The directory's `data.mdb` is no LMDB file, or one of an unknown version. */
  "not-lmdb": "Give the path of another directory, or move the file away if nobody needs it",
  /** It is an LMDB file, but cannot be read. */
  corrupt: "Stop all processes that use it and restore it from a copy, or move the directory away to begin anew",
  /** An LMDB database that something else has written. */
  foreign: "Give the path of another directory: this one belongs to another program",
  /** A database of this engine, in a layout that this version does not know. */
  format: "Use the version of @effect-fdb/lmdb that has written it, or begin anew in another directory",
  /** A database in the layout of an earlier version, processes of which have it open; else it is brought up to date. */
  outdated: "End these processes, and start them with this version: the first to open it then brings it up to date",
  /** Another process has been committing to it for ten seconds, as none does unless it is stopped in it. */
  busy: "See whether a process that uses it is stopped (state T), let it go on (SIGCONT) or kill it, and try again",
  /** Its files were replaced, while they were being opened or while this process had them open. */
  replaced: "Close all layers of this process that have it open, best by starting the process again, and open it anew",
  /** Another copy of this package, or of `lmdb`, has it open in this process. */
  duplicate:
    "Have one copy of each package in a process (see `npm ls @effect-fdb/lmdb lmdb`), and build the layer once",
  /** The database is open in this process with other options. */
  options: "Give all layers of a process that share a path the same options",
  /** The operating system refused for another reason. */
  other: "See the reason above"
}

/** What is wrong. */
export type CannotOpenReason = keyof typeof hints

/** See the type. */
export const CannotOpenReason = Schema.Literals(Object.keys(hints) as Array<CannotOpenReason>)

/**
 * The database cannot be opened.
 *
 * **Details**
 *
 * - `path`: the directory that was asked for
 * - `reason`: what is wrong, see {@link CannotOpenReason}
 * - `detail`: what was found
 */
export class CannotOpen extends Schema.TaggedError<CannotOpen>()("CannotOpen", {
  path: Schema.String,
  reason: CannotOpenReason,
  detail: Schema.String
}) {
  override get message(): string {
    return `The LMDB database in ${this.path} cannot be opened: ${this.detail}. ${this.hint}.`
  }

  /** What to do about it. */
  get hint(): string {
    return hints[this.reason]
  }
}

/**
 * The npm package `lmdb` cannot be loaded: it is not installed, or has no binary for this platform.
 */
export class LmdbUnavailable extends Schema.TaggedError<LmdbUnavailable>()("LmdbUnavailable", {
  detail: Schema.String
}) {
  override get message(): string {
    return `The npm package lmdb cannot be loaded: ${this.detail}. Install with optional dependencies included, for ` +
      "its binaries are such, or compile it on this platform with `npm rebuild lmdb`."
  }
}

/**
 * The layer was built in a worker thread. LMDB may be opened only once in a process, for the operating system drops all
 * of a process's locks on a file when any of its threads closes it; and threads do not see what other threads have open.
 */
export class WorkerThreadUnsupported
  extends Schema.TaggedError<WorkerThreadUnsupported>()("WorkerThreadUnsupported", {})
{
  override get message(): string {
    return "The LMDB engine works only in a process's main thread, and this is a worker thread. " +
      "Build LmdbDatabase.layer in the main thread, or in a process of its own (with Vitest: `pool: \"forks\"`)."
  }
}

/** Whatever keeps a database from being opened. */
export type LmdbError = CannotOpen | LmdbUnavailable | WorkerThreadUnsupported
