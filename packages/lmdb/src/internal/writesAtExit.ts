/**
 * The end of a process while a write of its own waits for LMDB's lock.
 *
 * Node does not end before the threads of its pool have, and one that waits for the lock cannot be called back; whoever has the
 * lock may be stopped. So a process that exits with such a write gives it a while, and then ends by a signal, for which nothing
 * is waited: by the one that its exit code tells of; else by SIGTERM if it succeeded, which supervisors take for a clean end, and by
 * SIGKILL if it failed.
 */
import * as Result from "effect/Result"
import * as fs from "node:fs"
import * as os from "node:os"

/** How long a write may take at the end, from its beginning on. */
export const patienceMillis = 5000
const pauseMillis = 5

interface Write {
  readonly begun: number
  /** Whether the lock has been free since it began. */
  readonly mayEnd: () => boolean
}

const underWay = new Set<Write>()

const pause = (): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMillis)

/** Waits for it, with everything else standing still; `false` if that is no use. */
const endsInTime = ({ begun, mayEnd }: Write): boolean => {
  // A look that fails tells nothing.
  while (!Result.getOrElse(Result.try(mayEnd), () => false)) {
    if (performance.now() - begun >= patienceMillis) return false
    pause()
  }
  return true
}

const signalOf = (exitCode: number): NodeJS.Signals => {
  if (exitCode === 0) return "SIGTERM"
  const [name] = Object.entries(os.constants.signals).find(([, number]) => 128 + number === exitCode) ?? []
  return name === "SIGINT" || name === "SIGTERM" || name === "SIGHUP" ? name : "SIGKILL"
}

const endBy = (signal: NodeJS.Signals): void => {
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
  // Only process 1 of a container comes here: it gets no signal that it has no listener for, but cannot survive this.
  process.abort()
}

const say = (line: string): void => {
  try {
    fs.writeSync(2, `@effect-fdb/lmdb: ${line}\n`)
  } catch {
    // Nobody reads it.
  }
}

const atExit = (exitCode: number): void => {
  if ([...underWay].every(endsInTime)) return
  const signal = signalOf(exitCode)
  if (exitCode < 128) {
    say(
      `ends by ${signal} and not with ${exitCode}: a commit, which may yet be written, has waited for the lock of the database for ` +
        `${patienceMillis / 1000} seconds. See whether a process that uses it is stopped (state T)`
    )
  }
  endBy(signal)
}

/** A write begins; to be called when it has ended is what this gives. */
export const track = (mayEnd: () => boolean): () => void => {
  if (!process.listeners("exit").includes(atExit)) process.on("exit", atExit)
  const write: Write = { begun: performance.now(), mayEnd }
  underWay.add(write)
  return () => underWay.delete(write)
}
