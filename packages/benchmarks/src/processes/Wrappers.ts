/** Processes of `fdb-election run`, whose commands tell by lines of a file when they begin and end. */
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { type ChildProcess, spawn } from "node:child_process"
import * as fs from "node:fs"
import { createRequire } from "node:module"
import * as path from "node:path"
import type { EngineChoice } from "./Store.ts"
import * as Store from "./Store.ts"

const bin = path.join(
  path.dirname(createRequire(import.meta.url).resolve("@effect-fdb/cli/package.json")),
  "bin/fdb-election.cjs"
)

/** What a command tells: an overlap is an old command that lives when a new one begins. Milliseconds since the epoch. */
export interface Line {
  readonly kind: "begun" | "ended" | "overlap"
  readonly who: string
  readonly group: number
  readonly at: number
}

const tell = `tell() { echo "$1 $FDB_ELECTION_ID $$ $(date +%s%N)" >> "$TOLD"; }`

export const commands = {
  /** Ends on SIGTERM. */
  obeys: `${tell}
trap 'tell ended; exit 0' TERM
tell begun
sleep 1000 & wait`,
  /** Ignores what can be ignored. All of its processes hold a lock, which the kernel releases when the last has ended. */
  resists: `${tell}
trap '' TERM INT HUP QUIT
exec 9> "$LOCK"
flock -n 9 || { tell overlap; exit 1; }
tell begun
sleep 1000`
} as const

export class WrapperFailed extends Data.TaggedError("WrapperFailed")<{ readonly detail: string }> {
  override get message(): string {
    return this.detail
  }
}

const ended = (child: ChildProcess): Effect.Effect<void> =>
  Effect.callback((resume) => {
    if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
    child.once("exit", () => resume(Effect.void))
  })

/** Wrappers of one election in a store of their own. They and their commands are killed when the scope closes. */
export const make = Effect.fnUntraced(function*(
  engine: EngineChoice,
  command: keyof typeof commands,
  lease: Duration.Duration
) {
  const directory = yield* Store.directory
  const told = path.join(directory, "told")
  fs.writeFileSync(told, "")
  const flags = engine.engine === "lmdb"
    ? ["--engine", "lmdb", "--path", path.join(directory, "store")]
    : ["--engine", "fdb", ...(engine.clusterFile === undefined ? [] : ["--cluster-file", engine.clusterFile])]
  const election = ["-e", `benchmark/${path.basename(directory)}`, ...flags]
  const execute = (args: ReadonlyArray<string>) =>
    spawn(process.execPath, [bin, ...args], {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, TOLD: told, LOCK: path.join(directory, "lock") }
    })
  const initialize = execute(["init", ...election, "--lease", `${Duration.toMillis(lease)}ms`])
  yield* ended(initialize)
  if (initialize.exitCode !== 0) return yield* new WrapperFailed({ detail: "fdb-election init failed" })

  const children = new Map<string, ChildProcess>()
  const groups = new Set<number>()
  yield* Effect.addFinalizer(() =>
    Effect.gen(function*() {
      for (const child of children.values()) child.kill("SIGKILL")
      yield* Effect.forEach(children.values(), ended, { discard: true })
      readLines()
      for (const group of groups) {
        // It may have ended.
        yield* Effect.ignore(Effect.try(() => process.kill(-group, "SIGKILL")))
      }
      yield* Effect.sleep("200 millis")
    })
  )

  const lines: Array<Line> = []
  let offset = 0
  const readLines = (): void => {
    const text = fs.readFileSync(told, "utf8")
    const end = text.lastIndexOf("\n") + 1
    for (const line of text.slice(offset, end).split("\n").slice(0, -1)) {
      const [kind, who, group, nanos] = line.split(" ")
      lines.push({
        kind: kind as Line["kind"],
        who: who!,
        group: Number(group),
        at: Number(BigInt(nanos!) / 1000n) / 1000
      })
      groups.add(Number(group))
    }
    offset = end
  }
  return {
    start: (who: string) =>
      Effect.sync(() =>
        void children.set(
          who,
          execute(["run", ...election, "--id", who, "--again", "--quiet", "--", "sh", "-c", commands[command]])
        )
      ),
    /** Kills a wrapper, but not its command, and waits until it is gone. */
    kill: (who: string) =>
      Effect.suspend(() => {
        const child = children.get(who)!
        child.kill("SIGKILL")
        return ended(child)
      }),
    /** The next line of one of the kinds. */
    next: (kinds: ReadonlyArray<Line["kind"]>) =>
      Effect.gen(function*() {
        while (true) {
          readLines()
          for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
            if (kinds.includes(line.kind)) return line
          }
          yield* Effect.sleep("5 millis")
        }
      }).pipe(
        Effect.timeoutOrElse({
          duration: "5 minutes",
          orElse: () => Effect.fail(new WrapperFailed({ detail: `no command tells "${kinds.join(" or ")}"` }))
        })
      )
  }
})

export type Wrappers = Effect.Success<ReturnType<typeof make>>
