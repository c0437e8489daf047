/**
 * Lets one process at a time open or close the environments of a directory; "Closing" in the README says why.
 *
 * The mutex is a name in the kernel, which frees it when its process dies. The wait is bounded, because the process that holds it
 * may be stopped, and the failure is rare.
 */
import * as net from "node:net"
import { setTimeout as pause } from "node:timers/promises"

const maxWaitMillis = 1000
const pauseMillis = 2

/** Other operating systems have no such names. */
const prefixes: { readonly [platform: string]: string } = { linux: "\0", win32: "\\\\.\\pipe\\" }

const nothing = () => {}

/** @param identity of the directory: equal in all processes */
export const makeOpenCloseMutex = (identity: string) => {
  const prefix = prefixes[process.platform]

  /** `undefined` if another process holds the mutex. */
  const tryToEnter = (): Promise<(() => void) | undefined> =>
    new Promise((resume) => {
      if (prefix === undefined) return resume(nothing)
      const server = net.createServer()
      server.once("error", (error: NodeJS.ErrnoException) => resume(error.code === "EADDRINUSE" ? undefined : nothing))
      // Without `exclusive`, the workers of `cluster` would share the name.
      const path = `${prefix}effect-fdb-lmdb-${identity.replaceAll(":", "-")}`
      server.listen({ path, exclusive: true }, () => resume(() => void server.close()))
    })

  return {
    /**
     * Waits for `enterFirst` and for the mutex, and holds both until the returned function is called. While another process holds
     * the mutex, it releases the result of `enterFirst`, so that no process waits for it. `signal` ends the wait.
     */
    enter: async (
      enterFirst: () => Promise<() => void> = () => Promise.resolve(nothing),
      signal?: AbortSignal
    ): Promise<() => void> => {
      for (let waited = 0;; waited += pauseMillis) {
        const leaveFirst = await enterFirst()
        const leave = await tryToEnter()
        const leaveBoth = () => {
          leave?.()
          leaveFirst()
        }
        if (signal?.aborted !== true && (leave !== undefined || waited >= maxWaitMillis)) return leaveBoth
        leaveBoth()
        signal?.throwIfAborted()
        await pause(pauseMillis)
      }
    }
  }
}

export type OpenCloseMutex = ReturnType<typeof makeOpenCloseMutex>
