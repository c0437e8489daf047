/**
 * Lets one process at a time open or close the environments of a directory.
 *
 * The last process that closes an LMDB environment destroys its mutexes. One that opens it in that very moment takes them for
 * sound (`mdb_env_close_active` and `mdb_env_excl_lock` in `mdb.c`); neither it nor any other that opens the environment while it
 * lives can use it.
 *
 * The mutex is a name in the kernel: it belongs to one process, and to none when that one has died. Nobody waits long for it,
 * for whoever has it may be stopped, and it guards against a rare accident only.
 */
import * as net from "node:net"

const maxWaitMillis = 1000
const pauseMillis = 2

const pause = () => new Promise<void>((resume) => setTimeout(resume, pauseMillis))

const prefixes: { readonly [platform: string]: string } = { linux: "\0", win32: "\\\\.\\pipe\\" }

const nothing = () => {}

export class OpenCloseMutex {
  /** `undefined` where the operating system has no such names. */
  private readonly name: string | undefined

  /** @param identity what is one for all processes that open the directory */
  constructor(identity: string) {
    const prefix = prefixes[process.platform]
    this.name = prefix && `${prefix}effect-fdb-lmdb-${identity.replaceAll(":", "-")}`
  }

  /**
   * Waits until nobody else is in and what `enterFirst` waits for has come about, and keeps both so until the function is called
   * that is given. While somebody else is in, it holds nothing that others may be waiting for. `signal` ends the waiting.
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
      await pause()
    }
  }

  /** `undefined` when somebody else is in. */
  private tryToEnter(): Promise<(() => void) | undefined> {
    const { name } = this
    if (name === undefined) return Promise.resolve(nothing)
    const server = net.createServer()
    return new Promise((resume) => {
      server.once("error", (error: NodeJS.ErrnoException) => resume(error.code === "EADDRINUSE" ? undefined : nothing))
      // Exclusive: a worker of `cluster` would share it with its siblings.
      server.listen({ path: name, exclusive: true }, () => resume(() => void server.close()))
    })
  }
}
