/**
 * Ends a process that exits while one of its writes waits for LMDB's lock: Node would wait for the thread of the write, which cannot
 * be cancelled. See "Closing beside a stopped process" in the README.
 */
import * as Result from "effect/Result"
import * as fs from "node:fs"

/** The time that a write may take, from its beginning. */
export const maxWaitMillis = 5000
const pauseMillis = 5

interface Write {
  readonly begun: number
  /** Whether the lock has been free since the write began. */
  readonly mayEnd: () => boolean
}

const underWay = new Set<Write>()

const pause = (): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMillis)

/** Waits for a write and blocks the event loop; `false` if the time is over. */
const endsInTime = ({ begun, mayEnd }: Write): boolean => {
  // The wait continues if `mayEnd` throws.
  while (!Result.getOrElse(Result.try(mayEnd), () => false)) {
    if (performance.now() - begun >= maxWaitMillis) return false
    pause()
  }
  return true
}

/** The signal that an exit code stands for: 128 plus its number. */
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
      `this process ends by ${signal} instead of exit code ${exitCode}: a commit, which may still be written, has waited for the ` +
      `database's lock for ${maxWaitMillis / 1000} seconds. Look for a stopped process (state T) that uses the database`
    // The write fails if standard error is closed.
    Result.try(() => fs.writeSync(2, `@effect-fdb/lmdb: ${line}\n`))
  }
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
  // Process 1 of a container does not receive a signal without a listener. It does not survive `abort`.
  process.abort()
}

/** Registers a write that begins. Call the returned function when it has ended. */
export const track = (mayEnd: () => boolean): () => void => {
  if (!process.listeners("exit").includes(atExit)) process.on("exit", atExit)
  const write: Write = { begun: performance.now(), mayEnd }
  underWay.add(write)
  return () => underWay.delete(write)
}
