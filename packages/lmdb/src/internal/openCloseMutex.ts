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

const prefixes: { readonly [platform: string]: string } = { linux: "\0", win32: "\\\\.\\pipe\\" }

const nothing = () => {}

export class OpenCloseMutex {
  /** `undefined` if the operating system has no such names. */
  private readonly name: string | undefined

  /** @param identity of the directory: equal in all processes */
  constructor(identity: string) {
    const prefix = prefixes[process.platform]
    this.name = prefix && `${prefix}effect-fdb-lmdb-${identity.replaceAll(":", "-")}`
  }

  /**
   * Waits for `enterFirst` and for the mutex, and holds both until the returned function is called. While another process holds
   * the mutex, it releases the result of `enterFirst`, so that no process waits for it. `signal` ends the wait.
   */
  async enter(
    enterFirst: () => Promise<() => void> = () => Promise.resolve(nothing),
    signal?: AbortSignal
  ): Promise<() => void> {
    for (let waited = 0;; waited += pauseMillis) {
      const leaveFirst = await enterFirst()
      const leave = await this.tryToEnter()
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

  /** `undefined` if another process holds the mutex. */
  private tryToEnter(): Promise<(() => void) | undefined> {
    const { name } = this
    if (name === undefined) return Promise.resolve(nothing)
    const server = net.createServer()
    return new Promise((resume) => {
      server.once("error", (error: NodeJS.ErrnoException) => resume(error.code === "EADDRINUSE" ? undefined : nothing))
      // Without `exclusive`, the workers of `cluster` would share the name.
      server.listen({ path: name, exclusive: true }, () => resume(() => void server.close()))
    })
  }
}
