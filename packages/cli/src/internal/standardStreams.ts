/**
 * Standard output and standard error of a process that shares them with a command.
 *
 * Node's own streams would put pipes into non-blocking mode, for the command as well, whose writes then fail with EAGAIN; and
 * would wait for a reader that does not read, while a lease runs out. So they are not touched. What is said on standard
 * error while a command runs is dropped rather than waited for.
 */
import * as fs from "node:fs"
import * as tty from "node:tty"

const pause = new Int32Array(new SharedArrayBuffer(4))

/** Writes all of it to a descriptor that may be in non-blocking mode; returns why what is left could not be written. */
const writeAll = (fd: number, bytes: Uint8Array): NodeJS.ErrnoException | undefined => {
  for (let rest = bytes; rest.length > 0;) {
    try {
      rest = rest.subarray(fs.writeSync(fd, rest))
    } catch (cause) {
      const error = cause as NodeJS.ErrnoException
      if (error.code !== "EAGAIN") return error
      Atomics.wait(pause, 0, 0, 5)
    }
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

let nonBlocking: number | "none" | undefined

/** Writes a line to standard error; one that would have to wait for its reader is dropped. */
export const writeError = (line: string): void => {
  nonBlocking ??= openNonBlocking() ?? "none"
  const bytes = Buffer.from(`${line}\n`)
  if (nonBlocking === "none") return void writeAll(2, bytes)
  try {
    fs.writeSync(nonBlocking, bytes)
  } catch {
    // Nobody reads it.
  }
}

/** Writes a line to standard output; returns why it could not, as EPIPE where nobody reads it any more (`| head`). */
export const writeOutput = (line: string) => writeAll(1, Buffer.from(`${line}\n`))

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
