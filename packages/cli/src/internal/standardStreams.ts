/**
 * Standard output and standard error of a process that shares them with a command.
 *
 * Node's own streams would put pipes into non-blocking mode, for the command as well, whose writes then fail with EAGAIN; and
 * would wait for a reader that does not read, while a lease runs out. So they are not touched. What is said on standard
 * error while a command runs is dropped rather than waited for.
 */
import * as fs from "node:fs"
import * as tty from "node:tty"

const codeOf = (cause: unknown) => (cause as NodeJS.ErrnoException).code

/** How many bytes were written, or why none. */
const attempt = (write: () => number): number | { readonly cause: unknown } => {
  try {
    return write()
  } catch (cause) {
    return { cause }
  }
}

const pause = new Int32Array(new SharedArrayBuffer(4))

/** Why what was written has not arrived: nobody can read it any more, as after `| head`, or something else. */
export type WriteFailure = { readonly _tag: "NoReader" } | { readonly _tag: "Failed"; readonly problem: string }

const failureOf = (cause: unknown): WriteFailure =>
  codeOf(cause) === "EPIPE"
    ? { _tag: "NoReader" }
    : { _tag: "Failed", problem: cause instanceof Error ? cause.message : String(cause) }

/** Writes all of it to a descriptor that may be in non-blocking mode. */
const writeAll = (fd: number, bytes: Uint8Array): WriteFailure | undefined => {
  let rest = bytes
  while (rest.length > 0) {
    const wrote = attempt(() => fs.writeSync(fd, rest))
    if (typeof wrote === "number") rest = rest.subarray(wrote)
    else if (codeOf(wrote.cause) === "EAGAIN") Atomics.wait(pause, 0, 0, 5)
    else return failureOf(wrote.cause)
  }
  return undefined
}

/**
 * Another description of standard error that does not block, where there can be one: of a pipe or a terminal. To a file
 * one does not wait, and a socket cannot be opened anew.
 */
const openNonBlocking = (): number | undefined => {
  const { O_NOCTTY, O_NONBLOCK, O_WRONLY } = fs.constants
  try {
    const stat = fs.fstatSync(2)
    return stat.isFIFO() || stat.isCharacterDevice()
      ? fs.openSync("/dev/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY)
      : undefined
  } catch {
    return undefined
  }
}

let nonBlocking: number | undefined
let opened = false

/** Writes a line to standard error; one that would have to wait for its reader is dropped. */
export const writeError = (line: string): void => {
  if (!opened) {
    opened = true
    nonBlocking = openNonBlocking()
  }
  const bytes = Buffer.from(`${line}\n`)
  const fd = nonBlocking
  if (fd === undefined) writeAll(2, bytes)
  else attempt(() => fs.writeSync(fd, bytes))
}

/** Writes a line to standard output. */
export const writeOutput = (line: string): WriteFailure | undefined => writeAll(1, Buffer.from(`${line}\n`))

const terminals = [0, 1, 2].filter((descriptor) => tty.isatty(descriptor))

/**
 * Ends this process with this exit code, or, where the terminal of a standard stream has hung up, as SIGHUP ends a process: Node
 * would set that terminal's modes back when it exits, cannot, and would abort.
 */
export const exit = (code: number): never => {
  if (!terminals.every((descriptor) => tty.isatty(descriptor))) {
    process.removeAllListeners("SIGHUP")
    process.kill(process.pid, "SIGHUP")
  }
  return process.exit(code)
}
