/** Why a process cannot take part in a directory of witnesses. */
import * as Schema from "effect/Schema"

const hints = {
  /** Neither the directory nor its parent exists. */
  "missing-parent": "Create the parent directory first; only the last part of the path is created",
  /** The path names something else. */
  "not-a-directory": "Give the path of a directory that holds nothing but the sockets of witnesses",
  /** The directory belongs to another user. */
  "foreign-owner": "Give the path of a directory that belongs to the user of this process or to root",
  /** Others than its owner may use the directory. */
  "open-to-others":
    "Run `chmod 0700` on the directory, or give the path of one that does not exist, which is then created so",
  /** The operating system limits the length of a socket's path. */
  "path-too-long": "Give the path of another directory, for example one in /run or /tmp",
  /** The kernel is not known to close the sockets of a process at its end and not before. */
  "unsupported-platform": "Leave the witness out on this platform; the lease decides then",
  /** The end of a thread says nothing about the process. */
  "worker-thread": "Build the layer in the main thread of the process",
  /** The package of the command `fdb-election` is not installed, or the process cannot be started. */
  "no-process": "Install the package @effect-fdb/cli, or give the command that starts the process",
  /** The operating system refused for another reason. */
  other: "See the reason above"
}

/**
 * Why a process cannot take part in a directory of witnesses.
 *
 * @since 0.1.0
 * @category models
 */
export type WitnessUnavailableReason = keyof typeof hints

/**
 * The schema of the type.
 *
 * @since 0.1.0
 * @category schemas
 */
export const WitnessUnavailableReason = Schema.Literals(Object.keys(hints) as Array<WitnessUnavailableReason>)

/**
 * The process cannot take part in the witnesses of `directory`; `detail` is the finding as a text. Its message says what to do.
 *
 * @since 0.1.0
 * @category errors
 */
export class WitnessUnavailable extends Schema.TaggedError<WitnessUnavailable>()("WitnessUnavailable", {
  directory: Schema.String,
  reason: WitnessUnavailableReason,
  detail: Schema.String
}) {
  override get message(): string {
    return `Witnesses cannot use the directory ${this.directory}: ${this.detail}. ${this.hint}.`
  }

  /** What to do about it. */
  get hint(): string {
    return hints[this.reason]
  }
}
