/** Why an LMDB database could not be opened. Each error says what to do about it. */
import type { WitnessUnavailable } from "@effect-fdb/witness"
import * as Schema from "effect/Schema"

const hints = {
  /** Neither the directory nor its parent exists. */
  "missing-parent": "Create the parent directory first; only the last part of the path is created",
  /** The path names a file. */
  "not-a-directory": "Give the path of a directory that holds nothing but the database",
  /** This user may not write there, or the file system is read-only. */
  "not-writable": "Give this user the right to write to the directory and the files in it; readers write as well",
  /** The disk has no space for an empty database. */
  "disk-full": "Free some space on this file system, or choose a path on another",
  /** The directory's `data.mdb` is not an LMDB file, or has an unknown version. */
  "not-lmdb": "Give the path of another directory, or move the file away if nobody needs it",
  /** LMDB cannot read the file. */
  corrupt:
    "Stop all processes that use it and restore it from a copy, or move the directory away to start with an empty database",
  /** Another program has written the LMDB database. */
  foreign: "Give the path of another directory: this one belongs to another program",
  /** This version does not know the layout of the database. */
  format: "Use the version of @effect-fdb/lmdb that has written it, or choose another directory",
  /** The layout is that of an earlier version, and processes of that version have the database open. */
  outdated: "End these processes and start them with this version: the first one upgrades the layout",
  /** Another process has been in a commit for ten seconds. Only a stopped process takes that long. */
  busy: "Look for a stopped process (state T) that uses it, continue (SIGCONT) or kill that process, and try again",
  /** The files were replaced while this process opened them or had them open. */
  replaced: "Restart the process, or close all its layers that have the database open, and open it again",
  /** Another copy of this package, or of `lmdb`, has it open in this process. */
  duplicate: "Use one copy of each package in a process (see `npm ls @effect-fdb/lmdb lmdb`), and build the layer once",
  /** The database is open in this process with other options. */
  options: "Give all layers of a process that share a path the same options",
  /** The operating system refused for another reason. */
  other: "See the reason above"
}

/**
 * Why the database cannot be opened.
 *
 * @since 0.1.0
 * @category models
 */
export type CannotOpenReason = keyof typeof hints

/**
 * The schema of the type.
 *
 * @since 0.1.0
 * @category schemas
 */
export const CannotOpenReason = Schema.Literals(Object.keys(hints) as Array<CannotOpenReason>)

/**
 * The database in the directory `path` cannot be opened; `detail` is the finding as a text.
 *
 * @since 0.1.0
 * @category errors
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
 *
 * @since 0.1.0
 * @category errors
 */
export class LmdbUnavailable extends Schema.TaggedError<LmdbUnavailable>()("LmdbUnavailable", {
  detail: Schema.String
}) {
  override get message(): string {
    return `The npm package lmdb cannot be loaded: ${this.detail}. Install with optional dependencies ` +
      "(its binaries are optional dependencies), or compile it on this platform with `npm rebuild lmdb`."
  }
}

/**
 * The layer was built in a worker thread. A process must open an LMDB database only once, because the operating system drops all
 * of its locks on a file when any thread closes the file. Threads cannot see what other threads have open.
 *
 * @since 0.1.0
 * @category errors
 */
export class WorkerThreadUnsupported
  extends Schema.TaggedError<WorkerThreadUnsupported>()("WorkerThreadUnsupported", {})
{
  override get message(): string {
    return "The LMDB engine works only in a process's main thread, and this is a worker thread. " +
      "Build LmdbDatabase.layer in the main thread, or in a process of its own (with Vitest: `pool: \"forks\"`)."
  }
}

/**
 * Any reason why a database cannot be opened. `WitnessUnavailable` occurs only if the option `witness` names a directory.
 *
 * @since 0.1.0
 * @category errors
 */
export type LmdbError = CannotOpen | LmdbUnavailable | WorkerThreadUnsupported | WitnessUnavailable
