/** A FoundationDB server of the tests' own, in a directory: configured, stopped, killed, paused, and started again. */
import { Data, Effect, Schedule } from "effect"
import { execFile, spawn } from "node:child_process"
import * as fs from "node:fs"
import * as net from "node:net"
import * as path from "node:path"

/** The server does not do what it was told to. */
export class ServerProblem extends Data.TaggedError("ServerProblem")<{ readonly problem: string }> {
  override get message(): string {
    return this.problem
  }
}

const fail = (problem: string) => Effect.fail(new ServerProblem({ problem }))

export interface Server {
  readonly clusterFile: string
  /** Starts it and waits until it accepts connections; fails at once when the process ends instead. */
  readonly start: Effect.Effect<void, ServerProblem>
  /** Ends it as an operator does, and waits until it is gone; after ten seconds as {@link kill}. */
  readonly stop: Effect.Effect<void, ServerProblem>
  /** Ends it with SIGKILL and waits until it is gone. */
  readonly kill: Effect.Effect<void, ServerProblem>
  readonly pause: Effect.Effect<void, ServerProblem>
  readonly resume: Effect.Effect<void, ServerProblem>
  /** Makes a new database on it; to be run once, after the first start. */
  readonly configure: Effect.Effect<void, ServerProblem>
}

const every = Schedule.spaced("20 millis")

const isThere = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

const accepts = (port: number): Effect.Effect<boolean> =>
  Effect.callback((resume) => {
    const socket = net.connect({ port, host: "127.0.0.1" })
    socket.once("connect", () => resume(Effect.succeed(true)))
    socket.once("error", () => resume(Effect.succeed(false)))
    return Effect.sync(() => void socket.destroy())
  })

const execute = (program: string, args: ReadonlyArray<string>): Effect.Effect<string, ServerProblem> =>
  Effect.callback((resume) => {
    execFile(
      program,
      args,
      { timeout: 30_000 },
      (error, output, errors) =>
        resume(error === null ? Effect.succeed(output) : fail(`${program} failed: ${error.message} ${output}${errors}`))
    )
  })

const inPath = (name: string): string | undefined =>
  (process.env["PATH"] ?? "").split(path.delimiter).map((directory) => path.join(directory, name)).find(fs.existsSync)

/** `fdbcli`, which is needed once, to configure the database: that of `FDB_CLI`, beside the server, or in `PATH`. */
const findCli = (binary: string): Effect.Effect<string, ServerProblem> => {
  const beside = path.join(path.dirname(binary), "fdbcli")
  const cli = process.env["FDB_CLI"] ?? (fs.existsSync(beside) ? beside : inPath("fdbcli"))
  return cli === undefined
    ? fail(`There is no fdbcli beside ${binary}, nor in PATH. Set FDB_CLI to it: it configures the new database.`)
    : Effect.succeed(cli)
}

/** The server of a directory that {@link create} has made. */
export const open = (binary: string, directory: string): Server => {
  const clusterFile = path.join(directory, "fdb.cluster")
  const pidFile = path.join(directory, "pid")
  const output = path.join(directory, "output.log")
  const port = Number(fs.readFileSync(clusterFile, "utf8").split(":").at(-1))

  const pid = (): number => Number(fs.readFileSync(pidFile, "utf8"))
  const signal = (name: NodeJS.Signals) =>
    Effect.suspend(() =>
      isThere(pid())
        ? Effect.sync(() => void process.kill(pid(), name))
        : fail("The FoundationDB server is not running.")
    )
  const gone = Effect.suspend(() => isThere(pid()) ? fail("it goes on") : Effect.void).pipe(Effect.retry(every))
  const kill = Effect.andThen(signal("SIGKILL"), gone).pipe(
    Effect.timeoutOrElse({ duration: "30 seconds", orElse: () => fail("The FoundationDB server survives SIGKILL.") })
  )
  const ready = Effect.suspend(() =>
    isThere(pid())
      ? Effect.flatMap(accepts(port), (yes) => yes ? Effect.succeed(true) : fail("no connection"))
      : Effect.succeed(false)
  ).pipe(
    Effect.retry(every),
    Effect.timeoutOrElse({
      duration: "60 seconds",
      orElse: () => fail(`The FoundationDB server accepts no connection on port ${port} after a minute.`)
    }),
    Effect.flatMap((runs) =>
      runs ? Effect.void : fail(`${binary} has ended instead of serving: ${fs.readFileSync(output, "utf8")}`)
    )
  )
  return {
    clusterFile,
    start: Effect.suspend(() => {
      const log = fs.openSync(output, "a")
      const server = spawn(
        binary,
        ["-p", `127.0.0.1:${port}`, "-C", clusterFile, "-d", path.join(directory, "data"), "-L", directory],
        { detached: true, stdio: ["ignore", log, log] }
      )
      fs.closeSync(log)
      if (server.pid === undefined) {
        return Effect.callback<void, ServerProblem>((resume) => {
          server.once("error", (error) => resume(fail(`${binary} cannot be started: ${error.message}`)))
        })
      }
      server.unref()
      fs.writeFileSync(pidFile, String(server.pid))
      return ready
    }),
    stop: Effect.andThen(signal("SIGTERM"), gone).pipe(
      Effect.timeoutOrElse({ duration: "10 seconds", orElse: () => kill })
    ),
    kill,
    pause: signal("SIGSTOP"),
    resume: signal("SIGCONT"),
    configure: Effect.flatMap(
      findCli(binary),
      (cli) =>
        execute(cli, ["-C", clusterFile, "--timeout", "10", "--exec", "configure new single ssd"]).pipe(
          Effect.flatMap((said) => /created/i.test(said) ? Effect.void : fail(`fdbcli says: ${said}`)),
          Effect.retry({ schedule: Schedule.spaced("500 millis"), times: 20 })
        )
    )
  }
}

const freePort: Effect.Effect<number> = Effect.callback((resume) => {
  const server = net.createServer()
  server.listen(0, "127.0.0.1", () => {
    const address = server.address()
    server.close(() => resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0)))
  })
})

/** Prepares a directory for a server of its own: a free port, a cluster file, an empty place for the data. */
export const create = Effect.fnUntraced(function*(binary: string, directory: string) {
  fs.mkdirSync(path.join(directory, "data"), { recursive: true })
  fs.writeFileSync(path.join(directory, "fdb.cluster"), `effect:fdb@127.0.0.1:${yield* freePort}`)
  return open(binary, directory)
})
