import { Database, MemoryDatabase, Transaction } from "@effect-fdb/core"
import { LeaderElection, type Leadership } from "@effect-fdb/leader-election"
import * as NodeChildProcessSpawner from "@effect/platform-node-shared/NodeChildProcessSpawner"
import * as NodeFileSystem from "@effect/platform-node-shared/NodeFileSystem"
import * as NodePath from "@effect/platform-node-shared/NodePath"
import { assert, describe, it } from "@effect/vitest"
import {
  type Cause,
  ConfigProvider,
  type Duration,
  Effect,
  Fiber,
  Layer,
  Queue,
  References,
  Result,
  Schema,
  Stdio,
  Terminal
} from "effect"
import { TestClock, TestConsole } from "effect/testing"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import * as Cli from "../src/Cli.ts"
import * as ElectionName from "../src/ElectionName.ts"
import * as ExitCode from "../src/ExitCode.ts"
import { Host } from "../src/internal/doctor/host.ts"

const unused = Effect.die("nothing is asked of a terminal")
const terminal = (sizes: Queue.Dequeue<Terminal.Size, Cause.Done>) =>
  Terminal.make({
    columns: Effect.succeed(80),
    rows: Effect.succeed(24),
    size: Effect.succeed(sizes),
    readInput: unused,
    readLine: unused,
    display: () => Effect.void
  })

const platform = Layer.mergeAll(
  Layer.succeed(Cli.Signals, { take: () => Effect.void }),
  NodeChildProcessSpawner.layer.pipe(Layer.provideMerge(Layer.merge(NodeFileSystem.layer, NodePath.layer)))
)

/** What the command has asked to be opened. */
class Opened {
  store: Cli.Store | undefined
  laggingReaders: ReadonlyArray<Cli.LaggingReader> = []
  /** The type of the file system of the store: ext4. */
  fileSystem = 0xef53

  get witness() {
    return this.store?.witness
  }

  get access(): string | undefined {
    return this.store?.engine === "lmdb" ? this.store.access : undefined
  }
}

/** The command on one database in memory, with a terminal or without, in an environment of variables. */
const cli = Effect.gen(function*() {
  const database = yield* Database
  const opened = new Opened()
  const sizes = yield* Queue.sliding<Terminal.Size, Cause.Done>(1)
  yield* Queue.offer(sizes, { columns: 80, rows: 24 })
  const call = (
    args: string,
    options: { readonly env?: Record<string, string>; readonly onTerminal?: boolean } = {}
  ) =>
    Cli.main(args.split(" ").filter((arg) => arg !== ""), { version: "1.2.3" }).pipe(
      Effect.provide(Layer.mergeAll(
        platform,
        Layer.succeed(Terminal.Terminal, terminal(sizes)),
        Stdio.layerTest({ stdoutIsTerminal: Effect.succeed(options.onTerminal === true) }),
        ConfigProvider.layer(ConfigProvider.fromEnv({ env: { HOME: "/home/me", ...options.env } }))
      )),
      Effect.provideService(Host, {
        fileSystem: () => ({ type: opened.fileSystem, freeBytes: 2 ** 40 }),
        firstProcess: () => ["/sbin/init"],
        isContainer: () => false
      }),
      Effect.provideService(Cli.Stores, {
        exists: () => true,
        laggingReaders: () => Effect.succeed(opened.laggingReaders),
        open: (store) => {
          opened.store = store
          return Layer.succeed(Database, database)
        }
      })
    )
  return { call, opened, sizes }
})

const { election } = (() => {
  const { subspace } = Result.getOrThrow(ElectionName.parse("default"))
  return { election: LeaderElection.make(subspace) }
})()

/** One database, the command's output, and nothing of what the candidates beside it log. */
const live = Effect.provide(
  Layer.mergeAll(MemoryDatabase.layer, TestConsole.layer, Layer.succeed(References.MinimumLogLevel, "None"))
)

const output = Effect.map(TestConsole.logLines, (lines) => lines.map(String))
const errors = Effect.map(TestConsole.errorLines, (lines) => lines.map(String))
const lastLine = Effect.map(output, (lines) => lines.at(-1) ?? "")

/** Has the leader asked to step down, which is done within so long. */
const steppedDown = Effect.fnUntraced(function*<R>(
  call: (args: string) => Effect.Effect<number, never, R>,
  within: Duration.Input
) {
  const stepDown = yield* Effect.forkChild(call("step-down"))
  yield* TestClock.adjust(within)
  assert.strictEqual(yield* Fiber.join(stepDown), ExitCode.ok)
})
const lastJson = Effect.flatMap(
  lastLine,
  (line) => Schema.decodeEffect(Schema.fromJsonString(Schema.Unknown))(line)
)

/** Leads in the background. */
const leads = (id: string, work: (leadership: Leadership) => Effect.Effect<void> = () => Effect.never, priority = 0) =>
  Effect.forkChild(election.withLeadership({ id, priority }, work), { startImmediately: true })

/** Leads, and shows no other sign of life. */
const deadLeader = Effect.gen(function*() {
  const registration = yield* Effect.flatten(Database.transact(election.registerCandidate("dead", 0)))
  yield* Database.transact(election.tryClaimLeadership("dead", 0, { registration }))
})

const nobodyToRemove =
  /^no candidate of default was removed: none is dead, except perhaps the leader, which is never removed$/

describe("the command line", () => {
  it.effect("without a subcommand, tells what to do next: by who leads, or that nobody has set it up", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust(0)
      const { call } = yield* cli
      const steps = Effect.map(
        lastLine,
        (text) => [...text.matchAll(/^ {2}fdb-election (\S+)/gm)].map(([, step]) => step)
      )
      assert.strictEqual(yield* call(""), ExitCode.ok)
      assert.match(yield* lastLine, /^Nobody has set up this election/)
      assert.deepStrictEqual(yield* steps, ["run", "init", "--help"])
      yield* call("init")
      assert.strictEqual(yield* call("-e default"), ExitCode.ok)
      assert.match(yield* lastLine, /^Nobody leads default/)
      assert.deepStrictEqual(yield* steps, ["run", "watch", "history", "--help"])
      yield* leads("a")
      yield* TestClock.adjust("100 millis")
      assert.strictEqual(yield* call(""), ExitCode.ok)
      assert.match(yield* lastLine, /^"a" leads default, in term 1/)
      assert.deepStrictEqual(yield* steps, ["watch", "step-down", "run", "--help"])
      assert.strictEqual(yield* call("-e a//b"), ExitCode.usage)
      assert.strictEqual(yield* call("no-such"), ExitCode.usage)
    }).pipe(live))

  it.effect("shows how it is used, and its version", () =>
    Effect.gen(function*() {
      const { call } = yield* cli
      for (const command of ["", "run", "status", "watch", "history", "init", "config", "config set", "step-down"]) {
        assert.strictEqual(yield* call(`${command} --help`), ExitCode.ok)
        assert.include(yield* lastLine, `fdb-election ${command}`.trim())
        assert.include(yield* lastLine, "--election, -e NAME")
      }
      assert.strictEqual(yield* call("--version"), ExitCode.ok)
      assert.include(yield* lastLine, "1.2.3")
      assert.deepStrictEqual(yield* errors, [])
    }).pipe(live))

  it.effect("gives completions for shells", () =>
    Effect.gen(function*() {
      const { call } = yield* cli
      for (const shell of ["bash", "zsh", "fish"]) {
        assert.strictEqual(yield* call(`--completions ${shell}`), ExitCode.ok)
        assert.include(yield* lastLine, "step-down")
      }
    }).pipe(live))

  it.effect("says what is wrong with it in one sentence", () =>
    Effect.gen(function*() {
      const { call } = yield* cli
      yield* call("init")
      const wrong: ReadonlyArray<readonly [args: string, said: RegExp]> = [
        ["frobnicate", /Unknown subcommand "frobnicate"/],
        ["status --frob", /Unrecognized flag: --frob/],
        ["status --engine memory", /engine/],
        ["run", /command/],
        ["run true", /write -- before the command/],
        ["run ./job.sh -e b", /write -- before the command/],
        ["run ./job.sh -- more", /write -- before the command/],
        ["run ./job.sh --all", /Unrecognized flag: --all.*; flags of the command to run go after --$/],
        ["statsu", /Unknown subcommand "statsu" for "fdb-election"; Did you mean this\? status; see/],
        ["status -e a//b", /the election's name "a\/\/b" has an empty part/],
        ["status --cluster-file f", /--cluster-file is for FoundationDB/],
        ["status --engine fdb --path p", /--path is for LMDB/],
        ["status --engine fdb --access group", /--access is for LMDB/],
        ["init --terms-from many", /--terms-from is "many": give a whole number/],
        ["init --terms-from 9000000000000000000 -e b", /termsFrom is 8999999999999999999; .* from 0 to 2\^62/],
        ["init --shards 16385", /--shards is 16385: give an integer from 1 to 16384/],
        ["init --slot 1 --slots 2", /leave out --slots and --shards, or --slot/],
        ["raise-terms", /N/],
        ["raise-terms 1e3", /"1e3" is no term: give a whole number/],
        ["raise-terms 4611686018427387905", /the term is 4611686018427387905; .* from 0 to 2\^62/],
        ["import", /file/],
        ["import /nowhere/export.json", /\/nowhere\/export.json cannot be read: ENOENT/],
        ["import /dev/null", /\/dev\/null is no export that this version can read/],
        ["history --limit 1000", /1000 tenures cannot be shown/],
        ["init --lease 10", /"10" is not a duration/],
        ["init -e b --lease 1s --heartbeat 2s", /: the heartbeat is 2s; it must be below the lease/],
        ["init -e b --lease 9999999h", /: the lease is 416666 d 15 h; the longest that can be set is about 146 years/],
        ["init -e b --lease 50000d", /: the candidate-timeout is 75000 d; the longest/],
        ["config get leases", /there is no configuration key "leases": the keys are lease, heartbeat/],
        ["config set lease", /key value/],
        ["config set lease 20s heartbeat", /pairs of a key and a value/],
        ["config set lease soon", /lease cannot be set to "soon": give a positive number and a unit/],
        ["config set lease 30s1m", /lease cannot be set to "30s1m": give .* \(the greater unit first\)/],
        ["config set lease 5s enabled true lease 6s", /: lease is given twice: give each key once/],
        ["config set enabled maybe", /enabled cannot be set to "maybe": give true or false/],
        ["config set enabled constructor", /enabled cannot be set to "constructor": give true or false/],
        ["config set lease 1s", /: the heartbeat is 3s; it must be below the lease of 1s/],
        ["config set lease 0s", /: the lease is 0; it must be /],
        ["config set candidate-timeout 1s", /: the candidate-timeout is 1s; it must be above the heartbeat/],
        ["config set lease 9999999h", /: the lease is 416666 d 15 h; the longest that can be set is about 146 years/],
        ["config set lease -5s", /: lease cannot be -5s: a duration must be positive$/],
        ["config set heartbeat 1s lease -1m30s -e a", /: lease cannot be -1m30s: a duration must be positive$/],
        ["init --lease -10s", /: --lease cannot be -10s: a duration must be positive$/],
        ["step-down --wait -5s", /: --wait cannot be -5s: a duration must be positive$/],
        ["step-down --wait=-5s", /"-5s" is not a duration: give a positive number and a unit/],
        ["run --grace -1s -- true", /: --grace cannot be -1s: a duration must be positive$/],
        ["run --grace 6s -- sleep --for -1s", /--grace is 6 s/],
        ["run sleep -5s", /Unrecognized flag: -5.*; flags of the command to run go after --$/],
        ["run --priority 4294967296 -- true", /priority is 4294967296/],
        ["run --slots 0 -- true", /--slots is 0: give an integer from 1 to 100/],
        ["run --slots 101 -- true", /--slots is 101: give an integer from 1 to 100/],
        ["run --slots 1.5 -- true", /slots/],
        ["run --shards 0 -- true", /is 0; it must be an integer from 1 to/],
        ["run --shards 2 --slots 2 -- true", /--slots and --shards exclude each other/],
        ["run --log-format xml -- true", /log-format/],
        ["run --weight 2 -- true", /--weight is the share in shards: give their number with --shards/],
        ["run --shards 2 --weight=-1 -- true", /-1/],
        ["run --shards 2 --weight 1000001 -- true", /1000001; it must be a number from 0 to 1000000/],
        ["run --shards 2 --weight much -- true", /weight/],
        ["run --slot 1 -- true", /run has no --slot/],
        ["status --slot 100", /--slot is 100: give an integer from 0 to 99/],
        ["run --grace 6s -- true", /--grace is 6 s but may be at most half of the lease, which is 10 s/]
      ]
      for (const [args, said] of wrong) {
        assert.strictEqual(yield* call(args), ExitCode.usage, args)
        const line = (yield* errors).at(-1) ?? ""
        assert.match(line, said)
        assert.match(line, /^fdb-election: [^\n]+$/)
      }
      assert.lengthOf(yield* errors, wrong.length)
    }).pipe(live))

  it.effect("takes the store and the election from flags, then from the environment, then by default", () =>
    Effect.gen(function*() {
      const { call, opened } = yield* cli
      yield* call("status")
      assert.deepStrictEqual(opened.store, {
        engine: "lmdb",
        path: "/home/me/.local/state/fdb-election",
        isDefault: true,
        access: undefined,
        witness: undefined
      })
      yield* call("status", { env: { XDG_STATE_HOME: "/state" } })
      assert.deepStrictEqual(opened.store, {
        engine: "lmdb",
        path: "/state/fdb-election",
        isDefault: true,
        access: undefined,
        witness: undefined
      })
      // A path that depends on the working directory would be another store for each process.
      yield* call("status", { env: { XDG_STATE_HOME: "state", HOME: "" } })
      const path = `${os.userInfo().homedir}/.local/state/fdb-election`
      assert.deepStrictEqual(opened.store, {
        engine: "lmdb",
        path,
        isDefault: true,
        access: undefined,
        witness: undefined
      })
      yield* call("status --path=")
      assert.include((yield* errors).at(-1), "--path is empty")
      const env = { FDB_ELECTION_PATH: "/env", FDB_ELECTION_NAME: "from/env", FDB_CLUSTER_FILE: "/cluster" }
      yield* call("status", { env })
      assert.deepStrictEqual(opened.store, {
        engine: "lmdb",
        path: "/env",
        isDefault: false,
        access: undefined,
        witness: undefined
      })
      assert.include((yield* errors).at(-1), "no election from/env in the LMDB store /env")
      yield* call("status --path /flag -e flag", { env })
      assert.include((yield* errors).at(-1), "no election flag in the LMDB store /flag")
      yield* call("status --witness off", { env: { ...env, FDB_ELECTION_WITNESS: "/witness" } })
      assert.strictEqual(opened.witness, "off")
      yield* call("status", { env: { ...env, FDB_ELECTION_WITNESS: "/witness" } })
      assert.strictEqual(opened.witness, "/witness")
      yield* call("candidates", { env: { ...env, FDB_ELECTION_WITNESS: "/witness" } })
      assert.strictEqual(opened.witness, "off")
      yield* call("status", { env: { ...env, FDB_ELECTION_ENGINE: "fdb" } })
      assert.deepStrictEqual(opened.store, { engine: "fdb", clusterFile: "/cluster", witness: undefined })
      yield* call("status --access group", { env })
      assert.strictEqual(opened.access, "group")
      yield* call("status", { env: { FDB_ELECTION_ACCESS: "group" } })
      assert.strictEqual(opened.access, "group")
      yield* call("status --access owner", { env: { FDB_ELECTION_ACCESS: "group" } })
      assert.strictEqual(opened.access, "owner")
      assert.strictEqual(yield* call("status", { env: { FDB_ELECTION_ACCESS: "all" } }), ExitCode.usage)
      assert.include((yield* errors).at(-1), `FDB_ELECTION_ACCESS is "all": set it to owner or group`)
      yield* call("status --engine fdb --cluster-file /flag", { env })
      assert.deepStrictEqual(opened.store, { engine: "fdb", clusterFile: "/flag", witness: undefined })
      assert.strictEqual(yield* call("status", { env: { FDB_ELECTION_ENGINE: "memory" } }), ExitCode.usage)
      assert.include((yield* errors).at(-1), `FDB_ELECTION_ENGINE is "memory": set it to lmdb or fdb`)
    }).pipe(live))

  it.effect("status shows the holders of slots and who waits, and each slot is an election by --slot", () =>
    Effect.gen(function*() {
      const { call } = yield* cli
      const { subspace } = Result.getOrThrow(ElectionName.parse("app/importers"))
      const slots = LeaderElection.slots(subspace, 3)
      assert.strictEqual(yield* call("status -e app/importers"), ExitCode.noElection)
      for (const id of ["a", "b", "c", "d"]) {
        yield* Effect.forkChild(slots.withLeadership({ id }, () => Effect.never), { startImmediately: true })
        yield* TestClock.adjust("1 second")
      }
      assert.strictEqual(yield* call("status -e app/importers"), ExitCode.ok)
      assert.deepStrictEqual(
        (yield* lastLine).split("\n").map((line) => line.replace(/ +/g, " ").replace(/\S+ m?s left/, "some left")),
        [
          "Election app/importers in the LMDB store /home/me/.local/state/fdb-election",
          "Slots 3 of 3 held",
          "Waiting d",
          " slot 0 a priority 0 term 1 some left of 10 s",
          " slot 1 b priority 0 term 1 some left of 10 s",
          " slot 2 c priority 0 term 1 some left of 10 s"
        ]
      )
      yield* call("status -e app/importers --json")
      const { slots: shown, waiting } = (yield* lastJson) as {
        readonly slots: ReadonlyArray<{ readonly slot: number; readonly leader: { readonly id: string } }>
        readonly waiting: ReadonlyArray<string>
      }
      assert.deepStrictEqual(shown.map(({ leader, slot }) => [slot, leader.id]), [[0, "a"], [1, "b"], [2, "c"]])
      assert.deepStrictEqual(waiting, ["d"])
      yield* call("status -e app/importers --slot 1 --json")
      assert.deepInclude(yield* lastJson, { election: "slot 1 of app/importers", lastTerm: "1" })
      assert.strictEqual(yield* call("status -e app/importers --slot 3"), ExitCode.noElection)
      const watch = yield* Effect.forkChild(call("watch -e app/importers"))
      yield* TestClock.adjust("10 seconds")
      const lines = (yield* output).length
      yield* TestClock.adjust("10 seconds")
      assert.lengthOf(yield* output, lines)
      const stepDown = yield* Effect.forkChild(call("step-down -e app/importers --slot 1"))
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(yield* Fiber.join(stepDown), ExitCode.ok)
      yield* Fiber.interrupt(watch)
      const told = (yield* output).slice(lines).filter((line) => line.startsWith("{"))
      assert.match(told.at(-1) ?? "", /^\{"election":"app\/importers","slots":\[.*"slot":1,"leader":\{"id":"d"/)
      assert.isTrue((yield* output).some((line) => line.includes("\"d\"") && !line.startsWith("{")))
      // The election of that name itself, if there is one, is shown, too.
      yield* call("init -e app/importers")
      yield* call("status -e app/importers")
      assert.include(yield* lastLine, "nobody has led yet")
      assert.include(yield* lastLine, "Slots")
    }).pipe(live))

  it.effect("status shows the shards of each member with its weight, and watch each change of them", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust(0)
      const { call } = yield* cli
      const { subspace } = Result.getOrThrow(ElectionName.parse("app/queues"))
      const shards = LeaderElection.shards(subspace, { shards: 6 })
      assert.strictEqual(yield* call("watch -e app/queues"), ExitCode.noElection)
      const members = yield* Effect.forEach([["a", 1], ["b", 2]] as const, ([id, weight]) =>
        Effect.gen(function*() {
          const candidacy = yield* shards.candidacy({ id, weight })
          const fiber = yield* Effect.forkChild(candidacy.run(() => Effect.never), { startImmediately: true })
          yield* TestClock.adjust("5 seconds")
          return { candidacy, fiber }
        }))
      assert.strictEqual(yield* call("status -e app/queues"), ExitCode.ok)
      assert.deepStrictEqual(
        (yield* lastLine).split("\n").map((line) =>
          line.replace(/ +/g, " ").replace(/heartbeat \S+ m?s/, "heartbeat some").replace(/since .*/, "since then")
            .replace(/leads in term \d+/, "leads in term some")
        ),
        [
          "Election app/queues in the LMDB store /home/me/.local/state/fdb-election",
          "Shards 6, each led by its owner",
          "Members 2 alive; the coordinator is a, in term 1",
          " a weight 1 owns 2 leads 2 heartbeat some ago since then",
          " leads in term some: 0-1",
          " stands by for: 2-5",
          " b weight 2 owns 4 leads 4 heartbeat some ago since then",
          " leads in term some: 2-5",
          " stands by for: 0-1"
        ]
      )
      yield* call("status -e app/queues --json")
      type Shown = { readonly shards: ReadonlyArray<Record<"shard" | "owner" | "standby", unknown>> }
      const { shards: shown, ...rest } = (yield* lastJson) as Shown & Record<string, unknown>
      assert.deepInclude(rest, { election: "app/queues" })
      assert.deepStrictEqual(shown.map(({ owner, shard, standby }) => [shard, owner, standby]).slice(1, 3), [
        [1, "a", "b"],
        [2, "b", "a"]
      ])
      // One slot has no shards.
      assert.strictEqual(yield* call("status -e app/queues --slot 0"), ExitCode.noElection)
      const before = (yield* output).length
      const watch = yield* Effect.forkChild(call("watch -e app/queues"))
      yield* TestClock.adjust("20 seconds")
      assert.lengthOf(yield* output, before + 1)
      yield* members[1]!.candidacy.setWeight(0)
      yield* TestClock.adjust("20 seconds")
      const { shards: after } = (yield* lastJson) as Shown
      assert.isTrue(after.every(({ owner }) => owner === "a"))
      const lines = (yield* output).length
      yield* TestClock.adjust("20 seconds")
      assert.lengthOf(yield* output, lines)
      yield* Fiber.interrupt(watch)
      yield* Effect.forEach(members, ({ fiber }) => Fiber.interrupt(fiber))
      // Those who have left are gone, the number of shards stays.
      yield* call("status -e app/queues")
      assert.include(yield* lastLine, "6, none of them led")
      assert.include(yield* lastLine, "none alive; no coordinator")
    }).pipe(live))

  it.effect("status tells of processes that keep the store growing, and what to do about each", () =>
    Effect.gen(function*() {
      const { call, opened } = yield* cli
      yield* call("init")
      opened.laggingReaders = [
        { pid: 41, state: "stopped", commitsBehind: 1200 },
        { pid: 42, state: "running", commitsBehind: 1 },
        { pid: 43, state: "unknown", commitsBehind: 2 }
      ]
      yield* call("status")
      assert.deepStrictEqual((yield* lastLine).split("\n").slice(-3), [
        "The store grows: process 41 (stopped) reads a state 1200 commits old, so pages cannot be reused; " +
        "continue (SIGCONT) or end it",
        "The store grows: process 42 reads a state 1 commit old, so pages cannot be reused; " +
        "its event loop is blocked; end it if this lasts",
        "The store grows: process 43 (perhaps of another container) reads a state 2 commits old, so pages cannot be " +
        "reused; check it, and end it if this lasts"
      ])
      yield* call("status --json")
      assert.deepStrictEqual(JSON.parse(yield* lastLine).laggingReaders, opened.laggingReaders)
      opened.laggingReaders = []
      yield* call("status")
      assert.notInclude(yield* lastLine, "grows")
    }).pipe(live))

  it.effect("says what to do when there is no election, or its records are damaged", () =>
    Effect.gen(function*() {
      const { call } = yield* cli
      for (
        const args of [
          "status",
          "history",
          "config get",
          "config set lease 5s",
          "enable",
          "step-down",
          "evict",
          "watch"
        ]
      ) {
        assert.strictEqual(yield* call(args), ExitCode.noElection, args)
        assert.include((yield* errors).at(-1), "set it up with `fdb-election init`")
      }
      yield* call("init")
      yield* Database.transact(Effect.gen(function*() {
        const { Transaction } = yield* Effect.promise(() => import("@effect-fdb/core"))
        yield* (yield* Transaction).set(election.subspace.pack(["config"]), Uint8Array.of(0))
      }))
      assert.strictEqual(yield* call("status"), ExitCode.invalidRecords)
      assert.match((yield* errors).at(-1)!, /^fdb-election: the record of the election at .*config.* is not valid: /)
    }).pipe(live))
})

describe("simulating", () => {
  it.effect("is a part of the command, with its exit codes", () =>
    Effect.gen(function*() {
      const { call } = yield* cli
      assert.strictEqual(yield* call("simulate --seeds 1 --duration 90s --json"), ExitCode.ok)
      assert.deepInclude(yield* lastJson, { seeds: 1, violations: 0 })
      assert.strictEqual(yield* call("simulate --profile none"), ExitCode.usage)
      assert.match((yield* errors).at(-1)!, /^fdb-election: there is no profile "none"/)
    }).pipe(live))
})

describe("an election's configuration", () => {
  it.effect("is set up once", () =>
    Effect.gen(function*() {
      const { call } = yield* cli
      assert.strictEqual(yield* call("init --lease 6s --no-preemption"), ExitCode.ok)
      const text = "lease 6 s, heartbeat 2 s, candidate timeout 9 s, enabled, preemption off"
      assert.strictEqual(yield* lastLine, `default is set up: ${text}`)
      assert.strictEqual(yield* call("init"), ExitCode.ok)
      assert.strictEqual(
        yield* lastLine,
        `default was set up before with another configuration, which stays in force: ${text}`
      )
    }).pipe(live))

  it.effect("is shown and changed by key", () =>
    Effect.gen(function*() {
      const { call } = yield* cli
      yield* call("init")
      yield* call("config get lease")
      assert.strictEqual(yield* lastLine, "10s")
      assert.strictEqual(yield* call("config set lease 20s heartbeat 2500ms preemption off"), ExitCode.ok)
      yield* call("config get")
      const [lease, heartbeat] = (yield* lastLine).split("\n")
      assert.match(lease!, /^lease +20s$/)
      assert.match(heartbeat!, /^heartbeat +2500ms$/)
    }).pipe(live))

  it.effect("is shown to programs as the status shows it, and one key by its value there", () =>
    Effect.gen(function*() {
      const { call } = yield* cli
      yield* call("init --lease 6s --no-preemption")
      const config = {
        leaseMillis: 6000,
        heartbeatMillis: 2000,
        candidateTimeoutMillis: 9000,
        enabled: true,
        preemption: false
      }
      yield* call("status --json")
      assert.deepInclude(yield* lastJson, { config })
      yield* call("config get --json")
      assert.deepStrictEqual(yield* lastJson, config)
      const values: ReadonlyArray<readonly [key: string, value: unknown]> = [
        ["lease", 6000],
        ["heartbeat", 2000],
        ["candidate-timeout", 9000],
        ["enabled", true],
        ["preemption", false]
      ]
      for (const [key, value] of values) {
        yield* call(`config get ${key} --json`)
        assert.strictEqual(yield* lastJson, value, key)
      }
    }).pipe(live))

  it.effect("can be disabled and enabled", () =>
    Effect.gen(function*() {
      const { call } = yield* cli
      yield* call("init")
      yield* call("disable")
      assert.strictEqual(yield* lastLine, "default is disabled")
      yield* call("disable")
      assert.strictEqual(yield* lastLine, "default was disabled already")
      yield* call("status")
      assert.include(yield* lastLine, "none (the election is disabled)")
      yield* call("enable")
      assert.strictEqual(yield* lastLine, "default is enabled")
    }).pipe(live))
})

describe("an election", () => {
  it.effect("is shown with its leader, lease and candidates", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust(0)
      const { call } = yield* cli
      yield* call("init")
      yield* call("status")
      assert.include(yield* lastLine, "none; nobody has led yet")
      yield* leads("a", undefined, 3)
      yield* TestClock.adjust("100 millis")
      yield* leads("b")
      yield* TestClock.adjust("1 second")
      yield* call("status --json")
      assert.deepStrictEqual(yield* lastJson, {
        election: "default",
        leader: { id: "a", priority: 3, term: "1", ballot: "1", leaseMillis: 10_000, remainingMillis: 8900 },
        lastTerm: "1",
        challenge: null,
        candidates: [
          { id: "a", priority: 3, leads: true, heartbeatAgoMillis: 1100 },
          { id: "b", priority: 0, leads: false, heartbeatAgoMillis: 1000 }
        ],
        config: {
          leaseMillis: 10_000,
          heartbeatMillis: 3000,
          candidateTimeoutMillis: 15_000,
          enabled: true,
          preemption: true
        },
        witnesses: null,
        laggingReaders: []
      })
      yield* call("status")
      const text = yield* lastLine
      assert.match(text, /^Leader +a, priority 3$/m)
      assert.match(text, /^Term +1, since 1970-01-01 00:00:00Z \(1\.1 s\)$/m)
      assert.match(text, /^Lease +8\.9 s left of 10 s$/m)
      assert.match(text, /^ +\* +a +priority 3 +heartbeat 1\.1 s ago$/m)
      yield* call("candidates --json")
      assert.deepStrictEqual(yield* lastJson, [
        { id: "a", priority: 3, leads: true, heartbeatAgoMillis: 1100 },
        { id: "b", priority: 0, leads: false, heartbeatAgoMillis: 1000 }
      ])
    }).pipe(live))

  it.effect("tells who has led", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust(0)
      const { call } = yield* cli
      yield* call("init")
      yield* call("history")
      assert.strictEqual(yield* lastLine, "nobody has led default yet")
      for (const id of ["a", "b"]) {
        const tenure = yield* leads(id)
        yield* TestClock.adjust("5 seconds")
        yield* Fiber.interrupt(tenure)
      }
      yield* call("history --json -n 1")
      const [newest] = yield* Effect.map(lastJson, (json) => json as Array<Record<string, unknown>>)
      assert.strictEqual(newest?.leader, "b")
      assert.strictEqual(newest?.reason, "resigned")
      yield* call("history")
      const [head, b, a] = (yield* lastLine).split("\n")
      assert.match(head!, /^TERM +LEADER +SINCE +FOR +ENDED$/)
      assert.match(b!, /^\d+ +b +1970-01-01 00:00:05Z +5 s +resigned$/)
      assert.match(a!, /^1 +a +1970-01-01 00:00:00Z +5 s +resigned$/)
    }).pipe(live))

  it.effect("has its leader step down, and another lead", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust(0)
      const { call } = yield* cli
      yield* call("init")
      assert.strictEqual(yield* call("step-down"), ExitCode.ok)
      assert.strictEqual(yield* lastLine, "nobody leads default")
      yield* leads("a", () => Effect.onInterrupt(Effect.never, () => Effect.sleep("1 second")))
      yield* TestClock.adjust("100 millis")
      yield* leads("b")
      yield* TestClock.adjust("1 second")
      yield* steppedDown(call, "2 seconds")
      const [stepped, next] = (yield* output).slice(-2)
      assert.strictEqual(stepped, `"a" has stepped down from term 1, after 1 s`)
      assert.strictEqual(next, `"b" leads now, in term 2`)
    }).pipe(live))

  it.effect("whose leader does not step down in time still has it, which is told", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust(0)
      const { call } = yield* cli
      yield* call("init")
      yield* leads("a", () => Effect.onInterrupt(Effect.never, () => Effect.sleep("1 minute")))
      yield* TestClock.adjust("1 second")
      const stepDown = yield* Effect.forkChild(call("step-down --wait 2s"))
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual(yield* Fiber.join(stepDown), ExitCode.tryAgain)
      assert.include((yield* errors).at(-1), `"a" still leads in term 1 after 2 s: it cannot renew its lease`)
      yield* TestClock.adjust("1 minute")
    }).pipe(live))

  it.effect("whose leader is dead is not told to be led by it again", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust(0)
      const { call } = yield* cli
      yield* call("init")
      yield* deadLeader
      yield* steppedDown(call, "20 seconds")
      assert.deepStrictEqual((yield* output).slice(-2), [
        `"dead" has not answered, and its lease of term 1 has lapsed, after 10 s`,
        "nobody has taken over yet"
      ])
    }).pipe(live))

  it.effect("has its dead candidates removed, and no others", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust(0)
      const { call } = yield* cli
      yield* call("init")
      yield* Effect.flatten(Database.transact(election.registerCandidate("dead", 0)))
      yield* call("evict")
      assert.match(yield* lastLine, nobodyToRemove)
      yield* TestClock.adjust("16 seconds")
      yield* call("evict")
      assert.strictEqual(yield* lastLine, "1 dead candidate of default removed")
    }).pipe(live))

  it.effect("keeps its dead leader until another takes over, and says so", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust(0)
      const { call } = yield* cli
      yield* call("init")
      yield* deadLeader
      yield* TestClock.adjust("1 minute")
      yield* call("evict")
      assert.match(yield* lastLine, nobodyToRemove)
    }).pipe(live))

  it.effect("whose lease another has taken over is told of a leader that has not answered", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust(0)
      const { call } = yield* cli
      yield* call("init")
      yield* deadLeader
      yield* leads("b")
      yield* steppedDown(call, "20 seconds")
      assert.match(
        (yield* output).at(-2)!,
        /^"dead" has not answered, and its lease of term 1 has lapsed, after 1\d s$/
      )
    }).pipe(live))
})

describe("an id with control characters", () => {
  const wild = "a\u001b[2J\nb"
  const shown = "a\\x1b[2J\\nb"

  it.effect("is shown with these written out, wherever people read it", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust(0)
      const { call } = yield* cli
      yield* call("init")
      yield* leads(wild)
      yield* TestClock.adjust("100 millis")
      yield* leads(`${wild}2`)
      yield* TestClock.adjust("100 millis")
      for (const args of ["status", "candidates", "history"]) {
        yield* call(args)
        assert.include(yield* lastLine, shown, args)
        assert.notInclude(yield* lastLine, wild, args)
      }
      const watch = yield* Effect.forkChild(call("watch", { onTerminal: true }))
      yield* TestClock.adjust("1 second")
      assert.include(yield* lastLine, shown)
      assert.notInclude(yield* lastLine, wild)
      yield* Fiber.interrupt(watch)
      yield* steppedDown(call, "20 seconds")
      const [stepped, next] = (yield* output).slice(-2)
      assert.strictEqual(stepped, `"${shown}" has stepped down from term 1, after 0 ms`)
      assert.strictEqual(next, `"${shown}2" leads now, in term 2`)
    }).pipe(live))

  it.effect("is so in a challenge", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust(0)
      const { call } = yield* cli
      yield* call("init")
      yield* leads("a", () => Effect.onInterrupt(Effect.never, () => Effect.sleep("1 minute")))
      yield* TestClock.adjust("100 millis")
      yield* leads(wild, undefined, 1)
      yield* TestClock.adjust("100 millis")
      yield* call("status")
      assert.include(yield* lastLine, `"${shown}", priority 1, has asked the leader of term 1 to step down`)
      yield* TestClock.adjust("1 minute")
    }).pipe(live))

  it.effect("is so on standard error as well", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust(0)
      const { call } = yield* cli
      yield* call("init")
      yield* leads(wild, () => Effect.onInterrupt(Effect.never, () => Effect.sleep("1 minute")))
      yield* TestClock.adjust("1 second")
      const stepDown = yield* Effect.forkChild(call("step-down --wait 2s"))
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual(yield* Fiber.join(stepDown), ExitCode.tryAgain)
      assert.include((yield* errors).at(-1), `"${shown}" still leads in term 1`)
      yield* TestClock.adjust("1 minute")
    }).pipe(live))

  it.effect("is itself for programs", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust(0)
      const { call } = yield* cli
      yield* call("init")
      yield* leads(wild)
      yield* TestClock.adjust("100 millis")
      yield* call("status --json")
      assert.nestedPropertyVal(yield* lastJson, "leader.id", wild)
    }).pipe(live))
})

/** Time passes in small steps, with whatever is done meanwhile. */
const seconds = (n: number) => Effect.repeat(TestClock.adjust("100 millis"), { times: 10 * n })

/** The rows of a drawn frame. */
const frameOf = (drawn: string): Array<string> =>
  drawn.split("\n").map((row) => row.split("\u001b").map((part) => part.replace(/^\[\??\d*[A-Za-z]/, "")).join(""))

describe("watching", () => {
  it.effect("tells each change in a line of JSON, and nothing between", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust(0)
      const { call } = yield* cli
      yield* call("init")
      const before = (yield* output).length
      yield* Effect.forkChild(call("watch"))
      yield* TestClock.adjust("20 seconds")
      const tenure = yield* leads("a")
      yield* TestClock.adjust("20 seconds")
      yield* Fiber.interrupt(tenure)
      yield* TestClock.adjust("20 seconds")
      const lines = (yield* output).slice(before).map((line) => JSON.parse(line) as Record<string, unknown>)
      const seen = lines.map(({ candidates, leader }) => [leader, (candidates as Array<unknown>).length])
      const leader = { id: "a", priority: 0, term: "1" }
      // It resigns, and then takes its leave: one may see both at once.
      assert.deepStrictEqual(seen.slice(0, 2), [[null, 0], [leader, 1]])
      assert.includeDeepMembers([[[null, 0]], [[null, 1], [null, 0]]], [seen.slice(2)])
    }).pipe(live))

  it.effect("draws a table anew each second on a terminal", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust(0)
      const { call } = yield* cli
      yield* call("init")
      yield* leads("a")
      const before = (yield* output).length
      yield* Effect.forkChild(call("watch", { onTerminal: true }))
      yield* seconds(5)
      const frames = (yield* output).slice(before)
      assert.isAtLeast(frames.length, 5)
      assert.match(frames.at(-1)!, /Leader +a, priority 0/)
    }).pipe(live))

  it.effect("shows on a small terminal who leads, and anew when its size changes", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust(0)
      const { call, sizes } = yield* cli
      yield* call("init")
      yield* leads("m")
      yield* TestClock.adjust("100 millis")
      for (const id of ["a", "b", "z"]) yield* leads(id)
      yield* Queue.offer(sizes, { columns: 20, rows: 8 })
      yield* Effect.forkChild(call("watch", { onTerminal: true }))
      yield* seconds(1)
      const rows = frameOf(yield* lastLine)
      assert.strictEqual(rows[0], "Leader      m, prior")
      assert.deepStrictEqual(rows.slice(5), ["Candidates  4", "  ... 4 more"])
      const frames = (yield* output).length
      yield* Queue.offer(sizes, { columns: 80, rows: 11 })
      yield* TestClock.adjust(0)
      assert.lengthOf(yield* output, frames + 1)
      const larger = frameOf(yield* lastLine)
      assert.match(larger[0]!, /^Election +default/)
      assert.match(
        larger.slice(7).join("\n"),
        /^ +\* +m +priority 0 [^\n]+\n +a +priority 0 [^\n]+\n +\.\.\. 2 more$/
      )
    }).pipe(live))
})

describe("terms", () => {
  const exported = Effect.gen(function*() {
    const lines = yield* output
    const file = path.join(yield* scratch, "export.json")
    fs.writeFileSync(file, lines.at(-1)!)
    return file
  })
  const scratch = Effect.acquireRelease(
    Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "fdb-election-terms-"))),
    (directory) => Effect.sync(() => fs.rmSync(directory, { recursive: true }))
  )

  it.effect("are raised while a leader is in office, who keeps its own", () =>
    Effect.gen(function*() {
      const { call } = yield* cli
      yield* call("init")
      yield* leads("web-1")
      yield* TestClock.adjust(0)
      assert.strictEqual(yield* call("raise-terms 5000"), ExitCode.ok)
      assert.strictEqual(yield* lastLine, `default: the next term is 5001 or greater; "web-1" keeps term 1`)
      yield* call("status --json")
      assert.deepInclude((yield* lastJson) as object, { election: "default", lastTerm: "1" })
      yield* call("raise-terms 10")
      assert.match(yield* lastLine, /^default: the next term is 5001 or greater; "web-1"/)
    }).pipe(live))

  it.effect("of slots and shards are raised, exported and imported with those of the election", () =>
    Effect.gen(function*() {
      const { call } = yield* cli
      assert.strictEqual(yield* call("init --slots 2 --terms-from 700 --lease 6s"), ExitCode.ok)
      assert.strictEqual(yield* call("raise-terms 800 --slot 1"), ExitCode.ok)
      assert.strictEqual(yield* lastLine, "slot 1 of default: the next term is 801 or greater")
      assert.strictEqual(yield* call("export"), ExitCode.ok)
      const file = yield* exported
      assert.strictEqual(yield* call(`import ${file} -e other`), ExitCode.ok)
      assert.deepStrictEqual((yield* output).slice(-3), [
        "other is set up: the next term is 700 or greater",
        "slot 0 of other is set up: the next term is 700 or greater",
        "slot 1 of other is set up: the next term is 801 or greater"
      ])
      yield* call("config get lease -e other")
      assert.strictEqual(yield* lastLine, "6s")
      yield* call("raise-terms 900 -e other")
      assert.deepStrictEqual((yield* output).slice(-3), [
        "other: the next term is 901 or greater",
        "slot 0 of other: the next term is 901 or greater",
        "slot 1 of other: the next term is 901 or greater"
      ])
      assert.strictEqual(yield* call(`import ${file} -e other`), ExitCode.ok)
      assert.strictEqual(
        yield* lastLine,
        "slot 1 of other was set up before, and keeps its configuration: the next term is 901 or greater"
      )
      assert.strictEqual(yield* call(`import ${file} --slot 0 -e other`), ExitCode.usage)
    }).pipe(live))

  it.effect("of shards that do not exist yet begin where they are told to, and are those of all when there is a table", () =>
    Effect.gen(function*() {
      const { call } = yield* cli
      assert.strictEqual(yield* call("init --shards 3 --terms-from 700"), ExitCode.ok)
      const shards = LeaderElection.shards(election.subspace, { shards: 3 })
      const led: Array<bigint> = []
      const taking = yield* Effect.forkChild(
        shards.run({ id: "a" }, (_, { term }) => Effect.andThen(Effect.sync(() => led.push(term)), Effect.never)),
        { startImmediately: true }
      )
      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual(led, [700n, 700n, 700n])
      assert.strictEqual(yield* call("raise-terms 900"), ExitCode.ok)
      assert.include(yield* output, `shard 2 of default: the next term is 901 or greater; "a" keeps term 700`)
      assert.strictEqual(yield* call("export"), ExitCode.ok)
      assert.include(yield* lastLine, `"shard 2":{`)
      assert.match(
        (yield* errors).at(-1)!,
        /^fdb-election: "a" still leads shard 2 of default: its next ballots are not in this/
      )
      yield* Fiber.interrupt(taking)
    }).pipe(live))

  it.effect("of a damaged export are refused, and nothing is written", () =>
    Effect.gen(function*() {
      const { call } = yield* cli
      yield* call("init --terms-from 700")
      yield* call("export")
      const file = yield* exported
      const text = fs.readFileSync(file, "utf8")
      const damaged: ReadonlyArray<readonly [text: string, said: RegExp]> = [
        [text.replace("export 1", "export 2"), /no export that this version can read/],
        [text.slice(0, -2), /no export that this version can read/],
        [text.replace("\"699\"", "\"-1\""), /is damaged: the term is -1/],
        [text.replace("\"699\"", "\"99999999999999999999\""), /is damaged: the term is 99999999999999999999/],
        [text.replace("10000", "0"), /is damaged: the configuration's leaseDuration/],
        [text.replace("\"election\"", "\"pool 1\""), /has a part "pool 1", which this version does not know/],
        [text.replace("\"election\"", "\"shard 16384\""), /has a part "shard 16384"/]
      ]
      for (const [text, said] of damaged) {
        fs.writeFileSync(file, text)
        assert.strictEqual(yield* call(`import ${file} -e other`), ExitCode.usage, String(said))
        assert.match((yield* errors).at(-1)!, said)
      }
      assert.strictEqual(yield* call("status -e other"), ExitCode.noElection)
      assert.strictEqual(yield* call("export -e other"), ExitCode.noElection)
      assert.strictEqual(yield* call("raise-terms 1 -e other"), ExitCode.noElection)
    }).pipe(live))
})

describe("the doctor", () => {
  const examined = Effect.fnUntraced(function*<R>(call: (args: string) => Effect.Effect<number, never, R>, args = "") {
    const doctor = yield* Effect.forkChild(call(`doctor ${args}`))
    yield* TestClock.adjust("20 seconds")
    return yield* Fiber.join(doctor)
  })

  it.effect("finds nothing wrong where all is well, and tells it as text and as JSON", () =>
    Effect.gen(function*() {
      const { call } = yield* cli
      yield* call("init")
      yield* leads("web-1")
      assert.strictEqual(yield* examined(call), ExitCode.ok)
      const text = yield* lastLine
      assert.match(text, /^default in .*: nothing wrong was found\n/)
      assert.include(text, `"web-1" leads default in term 1, and renews its lease`)
      assert.strictEqual(yield* examined(call, "--json"), ExitCode.ok)
      const json = (yield* lastJson) as {
        readonly election: string
        readonly worst: string
        readonly findings: ReadonlyArray<{ readonly check: string }>
      }
      assert.deepInclude(json, { election: "default", worst: "ok" })
      assert.sameMembers(json.findings.map(({ check }) => check), [
        "versions",
        "file system",
        "store",
        "latency",
        "leader",
        "clock",
        "margin"
      ])
    }).pipe(live))

  it.effect("tells what is wrong, worst first, and ends with 2 for an error and with 1 for a warning", () =>
    Effect.gen(function*() {
      const { call, opened } = yield* cli
      assert.strictEqual(yield* examined(call), 2)
      assert.match(yield* lastLine, /^default in .*: 1 error\nerror +election +there is no election default/)
      yield* call("init")
      assert.strictEqual(yield* examined(call), 1)
      assert.match(
        yield* lastLine,
        /: 1 warning\nwarning +leader +nobody leads default, and no candidate is alive\n +-> start/
      )
      yield* deadLeader
      opened.fileSystem = 0x6969
      assert.strictEqual(yield* examined(call), 2)
      assert.match(
        yield* lastLine,
        /: 2 errors\nerror +file system .* is on NFS, .*\n.*\nerror +leader +"dead" has not renewed/
      )
      opened.laggingReaders = [{ pid: 7, state: "stopped", commitsBehind: 3 }]
      yield* examined(call)
      assert.match(yield* lastLine, /\nwarning +readers +process 7 \(stopped\) reads a state 3 commits old/)
    }).pipe(live))

  it.effect("finds records that are damaged, and leaves nothing behind", () =>
    Effect.gen(function*() {
      const { call } = yield* cli
      yield* call("init")
      const all = Database.transact(
        Transaction.use((tx) => tx.getRange({ begin: new Uint8Array(), end: Uint8Array.of(255) }))
      )
      const before = yield* all
      yield* examined(call)
      assert.deepStrictEqual(yield* all, before)
      yield* Database.transact(
        Transaction.use((tx) => tx.set(election.subspace.pack(["leader"]), new Uint8Array([1])))
      )
      assert.strictEqual(yield* examined(call), 2)
      assert.match(yield* lastLine, /error +records +the record of the election at .*leader.* is not valid/)
      assert.deepStrictEqual(yield* errors, [])
    }).pipe(live))
})
