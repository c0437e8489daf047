/**
 * The end of a process while a write of its own waits for LMDB's lock.
 *
 * Node waits for the threads of its pool, and one that waits for the lock cannot be called back; whoever has the lock may be
 * stopped. So a process that exits with such a write gives it a while, and then ends by a signal, which waits for nothing: the
 * one that its exit code tells of; SIGTERM if it succeeded, which supervisors take for a clean end; SIGKILL if it failed.
 */
import * as Result from "effect/Result"
import * as fs from "node:fs"

/** How long a write may take at the end, from its beginning on. */
export const maxWaitMillis = 5000
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
    if (performance.now() - begun >= maxWaitMillis) return false
    pause()
  }
  return true
}

/** What an exit code tells of; 128 and the number of a signal. */
const signals: { readonly [exitCode: number]: NodeJS.Signals } = {
  0: "SIGTERM",
  129: "SIGHUP",
  130: "SIGINT",
  143: "SIGTERM"
}

const atExit = (exitCode: number): void => {
  if ([...underWay].every(endsInTime)) return
  const signal = signals[exitCode] ?? "SIGKILL"
  if (exitCode < 128) {
    const line =
      `ends by ${signal} and not with ${exitCode}: a commit, which may yet be written, has waited for the lock of ` +
      `the database for ${maxWaitMillis / 1000} seconds. See whether a process that uses it is stopped (state T)`
    // This fails where nobody reads it.
    Result.try(() => fs.writeSync(2, `@effect-fdb/lmdb: ${line}\n`))
  }
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
  // Only process 1 of a container comes here: it gets no signal that it has no listener for, but cannot survive this.
  process.abort()
}

/** A write begins; to be called when it has ended is what this gives. */
export const track = (mayEnd: () => boolean): () => void => {
  if (!process.listeners("exit").includes(atExit)) process.on("exit", atExit)
  const write: Write = { begun: performance.now(), mayEnd }
  underWay.add(write)
  return () => underWay.delete(write)
}
