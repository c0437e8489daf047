/**
 * Lets one process at a time open or close the environments of a directory.
 *
 * The last process that closes an LMDB environment destroys its mutexes. One that opens it in that very moment waits for the
 * lock of the file, and then takes them for sound (`mdb_env_close_active` and `mdb_env_excl_lock` in `mdb.c`); neither it nor
 * any other that opens the environment while it lives can use it.
 *
 * A name in the kernel serves as the mutex: it belongs to one process, and to none when that one has died, and it leaves no
 * file behind. Nobody waits long for it, for whoever has it may be stopped, and it guards against a rare accident only.
 */
import * as net from "node:net"

const patienceMillis = 1000
const pauseMillis = 2

const pause = () => new Promise<void>((resume) => setTimeout(resume, pauseMillis))

/** `undefined` where the operating system has no such names. */
const nameOf = (identity: string): string | undefined => {
  switch (process.platform) {
    case "linux":
      return `\0effect-fdb-lmdb-${identity}`
    case "win32":
      return `\\\\.\\pipe\\effect-fdb-lmdb-${identity}`
    default:
      return undefined
  }
}

type Attempt = "taken" | "elsewhere" | "unavailable"

export class OpenCloseMutex {
  private readonly name: string | undefined

  /** @param identity what is one for all processes that open the directory */
  constructor(identity: string) {
    this.name = nameOf(identity.replaceAll(":", "-"))
  }

  /** Waits until nobody else is in, and keeps it so until the function is called that is given. */
  async enter(): Promise<() => void> {
    for (let waited = 0; waited < patienceMillis; waited += pauseMillis) {
      const leave = await this.tryToEnter()
      if (leave !== undefined) return leave
      await pause()
    }
    return () => {}
  }

  /**
   * Waits until nobody else is in and what `enterFirst` waits for has come about, and keeps both so until the function is called
   * that is given. While somebody else is in, it holds nothing that others may be waiting for. `signal`
   * ends the waiting.
   */
  async enterAfter(enterFirst: () => Promise<() => void>, signal: AbortSignal): Promise<() => void> {
    for (let waited = 0;; waited += pauseMillis) {
      const leaveFirst = await enterFirst()
      const leave = await this.tryToEnter()
      const leaveBoth = () => {
        leave?.()
        leaveFirst()
      }
      if (!signal.aborted && (leave !== undefined || waited >= patienceMillis)) return leaveBoth
      leaveBoth()
      signal.throwIfAborted()
      await pause()
    }
  }

  /** `undefined` when somebody else is in. */
  private async tryToEnter(): Promise<(() => void) | undefined> {
    if (this.name === undefined) return () => {}
    const server = net.createServer()
    const attempt = await listen(server, this.name)
    if (attempt === "elsewhere") return undefined
    return attempt === "taken" ? () => void server.close() : () => {}
  }
}

const listen = (server: net.Server, path: string): Promise<Attempt> =>
  new Promise((resume) => {
    server.once(
      "error",
      (error: NodeJS.ErrnoException) => resume(error.code === "EADDRINUSE" ? "elsewhere" : "unavailable")
    )
    // Exclusive: a worker of `cluster` would share it with its siblings.
    server.listen({ path, exclusive: true }, () => resume("taken"))
  })
