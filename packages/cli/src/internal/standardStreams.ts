/**
 * Writes to the standard output and standard error that this process shares with a command.
 *
 * Node's own streams would set pipes to non-blocking mode for the command as well, whose writes then fail with EAGAIN. They would also
 * wait for a slow reader while a lease runs out. So they are not used. A line for standard error is dropped if it would block.
 */
import * as fs from "node:fs"
import * as ExitCode from "../ExitCode.ts"
import { isTerminal } from "./isTerminal.ts"

const pause = new Int32Array(new SharedArrayBuffer(4))

/** Writes to a descriptor that may be in non-blocking mode; returns the error if it cannot. */
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

/** Opens standard error in non-blocking mode if it is a pipe or a terminal. A write to a file does not block. */
const openNonBlocking = (): number | "none" => {
  const { O_NOCTTY, O_NONBLOCK, O_WRONLY } = fs.constants
  try {
    const stat = fs.fstatSync(2)
    const mayBlock = stat.isFIFO() || stat.isCharacterDevice()
    return mayBlock ? fs.openSync("/dev/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY) : "none"
  } catch {
    return "none"
  }
}

let nonBlocking: number | "none" | undefined

/** Writes a line to standard error, or drops it if the write would block. */
export const writeError = (line: string): void => {
  nonBlocking ??= openNonBlocking()
  const bytes = Buffer.from(`${line}\n`)
  if (nonBlocking === "none") return void writeAll(2, bytes)
  try {
    fs.writeSync(nonBlocking, bytes)
  } catch {
    // The line is dropped.
  }
}

/** Writes a line to standard output, or ends this process: without its output, the command has no reason to continue. */
export const print = (line: string): void => {
  const failure = writeAll(1, Buffer.from(`${line}\n`))
  if (failure === undefined) return
  // For example in `| head`.
  if (failure.code === "EPIPE") exit(ExitCode.ofSignal("SIGPIPE"))
  writeError(`fdb-election: standard output cannot be written to: ${failure.message}`)
  exit(ExitCode.system)
}

const terminals = [0, 1, 2].filter(isTerminal)

/**
 * Ends this process with an exit code, or by SIGHUP if the terminal of a standard stream has hung up: Node's normal exit would abort,
 * because it cannot restore the modes of that terminal.
 */
export const exit = (code: number): never => {
  if (!terminals.every(isTerminal)) {
    process.removeAllListeners("SIGHUP")
    process.kill(process.pid, "SIGHUP")
  }
  return process.exit(code)
}
