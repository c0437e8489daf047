/** Real processes of the command, on LMDB in a temporary directory. */
import { Database, Subspace, Transaction, type TransactionOptions } from "@effect-fdb/core"
import { ElectionConfig, LeaderElection, type LeaderState } from "@effect-fdb/leader-election"
import { LmdbDatabase } from "@effect-fdb/lmdb"
import { type Duration, Effect, Option, Result } from "effect"
import * as childProcess from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import * as ElectionName from "../../src/ElectionName.ts"
import { signalGroup, statOf } from "../../src/internal/run/processGroup.ts"

/** The command. */
export const program = fileURLToPath(new URL("../../bin/fdb-election.cjs", import.meta.url))
const holdStore = fileURLToPath(new URL("./holdStore.mjs", import.meta.url))
/** Lives, and shows it; see there. */
export const beatProgram = fileURLToPath(new URL("./beat.mjs", import.meta.url))

/** Removes a directory into which processes may still write that have just been killed, or that end by themselves. */
export const removeDirectory = (directory: string): void =>
  fs.rmSync(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })

/** Waits for an event of other processes; the bound is generous, for it is only there to end a test that has failed. */
export const eventually = async <A>(
  what: string,
  look: () => A | undefined | Promise<A | undefined>,
  /** What there is to see instead, when the wait has been in vain. */
  instead: () => string = () => ""
): Promise<A> => {
  const bound = process.hrtime.bigint() + 120_000_000_000n
  while (process.hrtime.bigint() < bound) {
    const begun = performance.now()
    const seen = await look()
    if (seen !== undefined) return seen
    // The processes that are waited for need the processor as well.
    const took = performance.now() - begun
    await new Promise((resolve) => setTimeout(resolve, 10 + 4 * took))
  }
  throw new Error(`waited in vain: ${what}${instead()}`)
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A process of the command. */
export class Run {
  readonly child: childProcess.ChildProcess
  readonly ended: Promise<Ended>
  said = ""

  constructor(child: childProcess.ChildProcess) {
    this.child = child
    child.stderr?.on("data", (chunk: Buffer) => {
      this.said += chunk.toString()
    })
    // Not at its exit: what it has said may not have been read then.
    this.ended = new Promise((resolve) => child.on("close", (code, signal) => resolve({ code, signal })))
  }

  get pid(): number {
    return this.child.pid!
  }

  signal(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal)
  }
}

const { election, text: name } = (() => {
  const { subspace, text } = Result.getOrThrow(ElectionName.parse("app/test"))
  return { election: LeaderElection.make(subspace), text }
})()

/** A store of its own, with the election `test`, and the processes that take part in it. */
export class Stage {
  readonly directory = fs.mkdtempSync(path.join(os.tmpdir(), "fdb-election-test-"))
  private readonly runs: Array<Run> = []

  /** However slow the disk. */
  private transact<A, E>(
    body: Effect.Effect<A, E, Transaction>,
    options: TransactionOptions = { timeout: "2 minutes" }
  ): Promise<A> {
    return Effect.runPromise(
      Database.transact(body, options).pipe(
        Effect.provide(LmdbDatabase.layer({ path: this.file("store"), witness: false }))
      )
    )
  }

  /** Puts a configuration in force: heartbeats of a third of the lease. */
  configure(lease: Duration.Input, changes: { readonly electionEnabled?: boolean } = {}): Promise<void> {
    const config = new ElectionConfig({ ...ElectionConfig.withLeaseDuration(lease), ...changes })
    return this.transact(Effect.andThen(election.initialize(config), election.writeConfig(config)))
  }

  leader(): Promise<LeaderState | undefined> {
    return this.transact(Effect.map(election.getLeaderRaw, Option.getOrUndefined))
  }

  history() {
    return this.transact(election.readHistory())
  }

  askToStepDown() {
    return this.transact(election.requestStepDown)
  }

  /** Stops a process, but not within a commit: with LMDB's lock it would stop everybody. */
  async stop(run: Run): Promise<void> {
    run.signal("SIGSTOP")
    while (!(await this.commits())) {
      run.signal("SIGCONT")
      await new Promise((resolve) => setTimeout(resolve, 10))
      run.signal("SIGSTOP")
    }
  }

  private commits(): Promise<boolean> {
    const write = Effect.flatMap(
      Transaction,
      (tx) => tx.set(Subspace.fromTuple(["commits"]).pack([]), new Uint8Array())
    )
    return this.transact(write, { timeout: "1 second" }).then(() => true, () => false)
  }

  /** Takes the store away from everybody; gives what gives it back. */
  async hold(): Promise<() => void> {
    const holder = childProcess.spawn(process.execPath, [holdStore, this.file("store")], {
      stdio: ["ignore", "pipe", "inherit"]
    })
    const run = new Run(holder)
    this.runs.push(run)
    let output = ""
    holder.stdout!.on("data", (chunk: Buffer) => (output += chunk.toString()))
    await eventually("the store is held", () => output === "held\n" ? true : undefined)
    return () => run.signal("SIGKILL")
  }

  file(name: string): string {
    return path.join(this.directory, name)
  }

  /** The lines of a file that a command writes. */
  lines(name: string): Array<string> {
    return fs.existsSync(this.file(name)) ? fs.readFileSync(this.file(name), "utf8").split("\n").slice(0, -1) : []
  }

  get env(): NodeJS.ProcessEnv {
    return {
      ...process.env,
      FDB_ELECTION_PATH: this.file("store"),
      FDB_ELECTION_NAME: name,
      DIRECTORY: this.directory
    }
  }

  /** What all of its processes have said. */
  get said(): string {
    return this.runs.map(({ child, said }) => `${child.spawnargs.slice(2, 8).join(" ")}\n${said}`).join("\n")
  }

  /** Starts the command with these arguments. */
  start(args: ReadonlyArray<string>, options: childProcess.SpawnOptions = {}): Run {
    return this.startProgram(program, args, options)
  }

  /** Starts another program on Node. */
  startProgram(file: string, args: ReadonlyArray<string>, options: childProcess.SpawnOptions = {}): Run {
    const run = new Run(
      childProcess.spawn(process.execPath, [file, ...args], {
        stdio: ["ignore", "pipe", "pipe"],
        cwd: this.directory,
        env: this.env,
        ...options
      })
    )
    this.runs.push(run)
    return run
  }

  /** Starts `fdb-election run` on a shell script. */
  run(flags: ReadonlyArray<string>, script: string, options?: childProcess.SpawnOptions): Run {
    return this.start(["run", ...flags, "--", "sh", "-c", script], options)
  }

  /** Ends what may still be there. */
  clear(): void {
    for (const { child } of this.runs) {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL")
    }
    for (const line of this.lines("groups")) {
      signalGroup(Number(line), "SIGKILL")
    }
    removeDirectory(this.directory)
  }
}

/** The pids of a process's children. */
export const childrenOf = (pid: number): Array<number> =>
  fs.readdirSync("/proc").map(Number).filter((child) => child > 0 && statOf(child)?.[1] === String(pid))
