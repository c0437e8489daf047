import { assert, describe, it } from "@effect/vitest"
import { Duration } from "effect"
import * as childProcess from "node:child_process"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import type { TestContext } from "vitest"
import * as ExitCode from "../src/ExitCode.ts"
import { groupIsGone, signalGroup, statOf } from "../src/internal/run/processGroup.ts"
import { beatProgram, childrenOf, type Ended, eventually, program, type Run, Stage } from "./support/processes.ts"

/** A stage for one test, which runs beside others. Where no lease is to lapse, it is longer than any of them can be held up. */
const stage = async ({ onTestFinished }: TestContext, lease: Duration.Input = "30 seconds"): Promise<Stage> => {
  const made = new Stage()
  onTestFinished(() => made.clear())
  await made.configure(lease)
  return made
}

/** A lease that is to lapse, or one of whose heartbeats is to be waited for. */
const lapsing = Duration.seconds(10)

/** No lease of this duration lapses during a test. */
const lasting = Duration.minutes(10)

/** Tells its process group. */
const tellGroup = `cut -d " " -f 5 /proc/$$/stat >> $DIRECTORY/groups`

/** Shows that it lives, and ignores whatever can be ignored. */
const beat = `"${process.execPath}" "${beatProgram}" $DIRECTORY/beats`

/** Ignores whatever can be ignored, and so does its grandchild. */
const stubborn = `trap '' TERM INT HUP QUIT; ${tellGroup}; (${beat} & wait) & wait`

/** Does what it is told. When it has told its process group, it has begun and listens. */
const obedient = `trap 'echo "end $FDB_ELECTION_TERM $FDB_ELECTION_ID $(date +%s%N)" >> $DIRECTORY/log; exit 0' TERM
echo "begin $FDB_ELECTION_TERM $FDB_ELECTION_ID $(date +%s%N)" >> $DIRECTORY/log
${tellGroup}; sleep 1000 & wait`

const groups = (at: Stage): Array<number> => at.lines("groups").map(Number)

const nthGroup = (at: Stage, n: number): Promise<number> =>
  eventually(`command ${n} begins`, () => groups(at)[n], () => at.said)

const beating = (at: Stage): Promise<number> =>
  eventually("the command beats", () => at.lines("beats").length > 0 ? groups(at)[0] : undefined, () => at.said)

const gone = (group: number): Promise<true> =>
  eventually(`group ${group} is gone`, () => groupIsGone(group) ? true : undefined)

/** When this is done, the command is gone, and its last sign of life comes before its lease could have lapsed. */
const endsWithinLease = async (at: Stage, group: number, done: () => unknown): Promise<void> => {
  const before = await at.leader()
  assert.isDefined(before)
  await done()
  // It may have been renewed, or be gone by now.
  const after = await at.leader()
  await gone(group)
  const { leaseExpiry } = after?.term === before.term ? after : before
  assert.isBelow(Number(BigInt(at.lines("beats").at(-1)!)), Number(leaseExpiry))
}

const code = ({ code, signal }: Ended) => signal ?? code

/** Whether a pipe takes nothing any more. */
const isFull = (path: string): boolean => {
  const fd = fs.openSync(path, fs.constants.O_WRONLY | fs.constants.O_NONBLOCK)
  try {
    fs.writeSync(fd, "y\n")
    return false
  } catch {
    return true
  } finally {
    fs.closeSync(fd)
  }
}

const nobody = 65_534

/** Whether this process is root, and another user can run the command where it is. */
const isUsableBy = (user: number): boolean =>
  process.getuid?.() === 0 &&
  childProcess.spawnSync(process.execPath, [program, "--version"], { uid: user }).status === 0

/** The descriptors of a process, and what they refer to. */
const openFiles = (pid: number): ReadonlyArray<readonly [fd: string, target: string]> =>
  fs.readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [[fd, fs.readlinkSync(`/proc/${pid}/fd/${fd}`)]]
    } catch {
      // Closed since.
      return []
    }
  })

const watchdogOf = (run: Run): number => {
  const watchdog = childrenOf(run.pid).find((pid) =>
    fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("watchdogProgram.")
  )
  assert.isDefined(watchdog)
  return watchdog
}

describe.concurrent("a command that leads", () => {
  it("knows its term, its id and the election, and gives its exit status", async (context) => {
    const at = await stage(context)
    const run = at.run(
      ["--id", "a"],
      `echo "$FDB_ELECTION_TERM $FDB_ELECTION_ID $FDB_ELECTION_NAME" >> $DIRECTORY/env; exit 7`
    )
    assert.strictEqual(code(await run.ended), 7)
    assert.deepStrictEqual(at.lines("env"), ["1 a app/test"])
    assert.isUndefined(await at.leader())
    const [tenure] = await at.history()
    assert.strictEqual(tenure?.reason, "resigned")
    const killed = at.run(["--id", "a"], "kill -USR2 $$")
    assert.strictEqual(code(await killed.ended), ExitCode.ofSignal("SIGUSR2"))
  })

  it(
    "has each event and message told as a line of JSON with --log-format json, and none with --quiet",
    async (context) => {
      const at = await stage(context)
      const run = at.run(["--id", "a", "--log-format", "json", "--log-level", "debug"], obedient)
      await nthGroup(at, 0)
      await at.askToStepDown()
      assert.strictEqual(code(await run.ended), ExitCode.tryAgain)
      const lines = run.said.trimEnd().split("\n").map((line) => JSON.parse(line) as Record<string, unknown>)
      for (const line of lines) assert.match(String(line["time"]), /^\d{4}-.*Z$/)
      const events = lines.filter((line) => "event" in line)
      const told = ["Registered", "Elected", "Lost", "Resigned"]
      assert.deepStrictEqual(events.map(({ event }) => event).filter((event) => told.includes(event as string)), told)
      for (const event of events) assert.deepInclude(event, { election: "app/test", candidate: "a" })
      assert.deepInclude(events.find(({ event }) => event === "Lost"), { term: "1", reason: "stepped-down" })
      assert.isTrue(lines.some(({ level }) => level === "debug"), "the library's own lines")
      assert.deepInclude(lines.at(-1), { level: "error" })
      const quiet = at.run(["--log-format", "json", "--quiet"], "exit 3")
      assert.strictEqual(code(await quiet.ended), 3)
      assert.strictEqual(quiet.said, "")
    }
  )

  it("gets variables that no shell can hold, and arguments as they are", async (context) => {
    const at = await stage(context)
    const run = at.start(["run", "--", "node", "-e", "console.log(process.env['a.b-c'], process.argv[1])", "x  $y '"], {
      env: { ...at.env, "a.b-c": "1 = 2" }
    })
    let output = ""
    run.child.stdout!.on("data", (chunk) => (output += chunk))
    assert.strictEqual(code(await run.ended), 0)
    assert.strictEqual(output, "1 = 2 x  $y '\n")
  })

  it("may have a name like that of a variable, and shows no variable to others", async (context) => {
    const at = await stage(context)
    fs.writeFileSync(at.file("a=b"), `#!/bin/sh\n${tellGroup}\ncat\n`, { mode: 0o755 })
    const run = at.start(["run", "--", "./a=b"], {
      env: { ...at.env, "a.b-c": "confidential" },
      stdio: ["pipe", "pipe", "pipe"]
    })
    let output = ""
    run.child.stdout!.on("data", (chunk) => (output += chunk))
    const launcher = await nthGroup(at, 0)
    for (const pid of [run.pid, launcher, ...childrenOf(run.pid), ...childrenOf(launcher)]) {
      assert.notInclude(fs.readFileSync(`/proc/${pid}/cmdline`, "utf8"), "confidential")
    }
    run.child.stdin!.end("as it is")
    assert.strictEqual(code(await run.ended), 0)
    assert.strictEqual(output, "as it is")
  })

  it("gets the descriptors 0, 1 and 2 and no others, least of all those of the store", async (context) => {
    const at = await stage(context)
    const file = fs.openSync(at.file("other"), "w")
    context.onTestFinished(() => fs.closeSync(file))
    // While the shell is stopped, it opens nothing.
    const run = at.run(
      ["--id", "a"],
      `(ls /proc/self/fd; :) > $DIRECTORY/nested; ${tellGroup}; kill -STOP $$`,
      { stdio: ["ignore", "pipe", "pipe", ...Array<"ignore">(27).fill("ignore"), file] }
    )
    const launcher = await nthGroup(at, 0)
    const command = await eventually(
      "the command stops",
      () => childrenOf(launcher).find((pid) => statOf(pid)?.[0] === "T")
    )
    assert.deepStrictEqual(openFiles(command), openFiles(run.pid).filter(([fd]) => Number(fd) <= 2))
    // The last is the listing's own.
    assert.deepStrictEqual(at.lines("nested"), ["0", "1", "2", "3"])
    for (const pid of [launcher, watchdogOf(run)]) {
      assert.deepStrictEqual(openFiles(pid).filter(([, target]) => target.startsWith(at.directory)), [])
    }
    run.signal("SIGTERM")
    await run.ended
  })

  it("is not run within itself, which would wait for its own end; another election may be", async (context) => {
    const at = await stage(context)
    const nested = (flags: string) => `"${process.execPath}" "${program}" run ${flags} -- sh -c 'echo ran'; echo $?`
    const run = at.run(
      ["--id", "a"],
      `(${nested("")}; ${nested("-e other")}; ${nested("-e other/b")}) > $DIRECTORY/nested`
    )
    assert.strictEqual(code(await run.ended), 0)
    assert.deepStrictEqual(at.lines("nested"), [String(ExitCode.usage), "ran", "0", "ran", "0"])
    assert.match(run.said, /app\/test is led by process \d+, and this process is part of its command/)
  })

  it("runs in as many processes as there are slots, knows its slot, and is replaced when one ends", async (context) => {
    const at = await stage(context)
    const script = `trap 'echo "$FDB_ELECTION_ID ends" >> $DIRECTORY/log; exit 0' TERM
echo "$FDB_ELECTION_SLOT $FDB_ELECTION_TERM $FDB_ELECTION_ID" >> $DIRECTORY/log; ${tellGroup}; sleep 1000 & wait`
    // Set by a wrapper above.
    const env = { ...at.env, FDB_ELECTION_SLOT: "7" }
    const runs = ["a", "b", "c"].map((id) => at.run(["--slots", "2", "--id", id], script, { env }))
    await eventually("two commands begin", () => groups(at).length === 2 ? true : undefined)
    const begun = at.lines("log").map((line) => line.split(" "))
    assert.deepStrictEqual(begun.map(([slot]) => slot).toSorted(), ["0", "1"])
    const third = await eventually(
      "the third waits",
      () =>
        runs.find(({ said }, i) =>
          !begun.some(([, , id]) => id === "abc"[i]) && /waits: "." leads slot 1 of/.test(said)
        )
    )
    const [slot, , id] = begun[0]!
    const first = runs["abc".indexOf(id!)]!
    assert.include(first.said, `leads slot ${slot} of app/test in term 1`)
    first.signal("SIGTERM")
    assert.strictEqual(code(await first.ended), 0)
    await eventually("the third begins", () => groups(at).length === 3 ? true : undefined)
    assert.deepStrictEqual(at.lines("log").slice(2), [`${id} ends`, `${slot} 2 ${"abc"[runs.indexOf(third)]}`])
    for (const run of runs) if (run !== first) run.signal("SIGTERM")
    await Promise.all(runs.map(({ ended }) => ended))
    const plain = at.run([], "echo \"slot '$FDB_ELECTION_SLOT'\" >> $DIRECTORY/plain", { env })
    assert.strictEqual(code(await plain.ended), 0)
    assert.deepStrictEqual(at.lines("plain"), ["slot ''"])
  })

  it("runs for each shard of a process, and goes on in another when the process ends", async (context) => {
    const at = await stage(context)
    const script = `trap 'echo "end $FDB_ELECTION_SHARD $FDB_ELECTION_ID" >> $DIRECTORY/log; exit 0' TERM
echo "begin $FDB_ELECTION_SHARD $FDB_ELECTION_TERM $FDB_ELECTION_ID" >> $DIRECTORY/log; ${tellGroup}; sleep 1000 & wait`
    /** The shards for which it has begun in a process; on a slow host, it may begin more than once. */
    const begun = (id: string) => [
      ...new Set(
        at.lines("log").filter((line) => line.startsWith("begin ") && line.endsWith(` ${id}`))
          .map((line) => line.split(" ")[1]!)
      )
    ]
    const start = (id: string) => at.run(["-e", "app/shards", "--shards", "4", "--id", id], script)
    const first = start("a")
    await eventually("all shards are led", () => begun("a").length === 4 ? true : undefined)
    assert.deepStrictEqual(begun("a").toSorted(), ["0", "1", "2", "3"])
    const second = start("b")
    await eventually("half of them move", () => begun("b").length >= 2 ? true : undefined, () => at.said)
    first.signal("SIGTERM")
    assert.strictEqual(code(await first.ended), ExitCode.ofSignal("SIGTERM"))
    await eventually("the others follow", () => begun("b").length === 4 ? true : undefined, () => at.said)
    assert.deepStrictEqual(begun("b").toSorted(), ["0", "1", "2", "3"])
    // Each command has ended before the next one of its shard began.
    for (const shard of begun("b")) {
      const of = at.lines("log").filter((line) => line.split(" ")[1] === shard).map((line) => line.split(" ")[0])
      assert.deepStrictEqual(of, of.map((_, i) => i % 2 === 0 ? "begin" : "end"))
      assert.strictEqual(of.at(-1), "begin")
    }
    // Each command has a watchdog process.
    second.signal("SIGKILL")
    await eventually("all commands end", () => groups(at).every(groupIsGone) ? true : undefined)
  })

  it("is found without PATH where a shell finds it", async (context) => {
    const at = await stage(context)
    const { PATH: _, ...env } = at.env
    const found = at.start(["run", "--", "true"], { env })
    assert.strictEqual(code(await found.ended), 0)
    const missing = at.start(["run", "--", "no-such-command"], { env })
    assert.strictEqual(code(await missing.ended), ExitCode.notFound)
  })

  it("that cannot be started is told as what it is, and the leadership is resigned", async (context) => {
    const at = await stage(context)
    const large = "x".repeat(100_000)
    const limits: ReadonlyArray<readonly [limit: string, told: RegExp]> = [
      ["--nofile=10", /cannot be started: EMFILE: too many open files/],
      ["--stack=200000", /cannot be started: E2BIG: argument list too long/]
    ]
    for (const [n, [limit, told]] of limits.entries()) {
      const leader = at.run(["--id", "a"], obedient)
      await nthGroup(at, n)
      const waiting = at.run(["--id", "b"], obedient, { env: { ...at.env, LARGE: large, LARGER: large } })
      await eventually("it waits", () => /waits: "a" leads/.test(waiting.said) ? true : undefined)
      execFileSync("prlimit", ["--pid", String(waiting.pid), limit])
      leader.signal("SIGTERM")
      assert.strictEqual(code(await waiting.ended), ExitCode.system)
      assert.match(waiting.said, told)
      assert.isUndefined(await at.leader())
    }
    fs.writeFileSync(at.file("script"), "#!/no/such/interpreter\n", { mode: 0o755 })
    const script = at.start(["run", "--", "./script"])
    assert.strictEqual(code(await script.ended), ExitCode.system)
    assert.match(script.said, /\.\/script cannot be started: the interpreter that it names does not exist/)
    assert.isUndefined(await at.leader())
  })

  it.skipIf(!isUsableBy(nobody))(
    "that becomes another user's is told of at once, and while it runs",
    async (context) => {
      const at = new Stage()
      context.onTestFinished(() => at.clear())
      fs.chmodSync(at.directory, 0o777)
      fs.copyFileSync("/usr/bin/setpriv", at.file("become"))
      fs.chmodSync(at.file("become"), 0o4755)
      const become = `$DIRECTORY/become --reuid=0 --clear-groups sleep`
      const options: childProcess.SpawnOptions = { uid: nobody, gid: nobody }
      const told = (run: Run) =>
        eventually(
          "it is told",
          () => /process \d+ of the command runs as another user/.test(run.said) ? true : undefined
        )
      const atOnce = at.run(["--id", "a"], `${tellGroup}; exec ${become} 1000`, options)
      await told(atOnce)
      signalGroup(await nthGroup(at, 0), "SIGKILL")
      await atOnce.ended
      const later = at.run(
        ["--id", "a"],
        `trap 'echo ends >> $DIRECTORY/log' TERM; ${tellGroup}; sleep 1; ${become} 1000 & wait; wait`,
        options
      )
      await told(later)
      await at.askToStepDown()
      await eventually("SIGTERM arrives", () => at.lines("log")[0])
      // It waits for what it cannot end, and resigns only then.
      assert.strictEqual((await at.leader())?.leaderId, "a")
      const group = groups(at)[1]!
      signalGroup(group, "SIGKILL")
      await later.ended
      assert.isTrue(groupIsGone(group))
    }
  )

  it("ends with --exit-with-parent when who has started the wrapper is gone", async (context) => {
    const at = await stage(context)
    fs.writeFileSync(at.file("job"), obedient)
    const shell = childProcess.spawn(
      "sh",
      ["-c", `"${process.execPath}" "${program}" run --exit-with-parent --id a -- sh ./job 2> said & wait`],
      { cwd: at.directory, env: at.env, stdio: "ignore" }
    )
    const group = await nthGroup(at, 0)
    shell.kill("SIGKILL")
    await gone(group)
    assert.match(at.lines("log")[1] ?? "", /^end/)
    await eventually("it has resigned", async () => (await at.history())[0]?.reason === "resigned" ? true : undefined)
  })

  it(
    "ends with --exit-with-parent also when who has started the wrapper was gone before that could look",
    async (context) => {
      const at = await stage(context)
      childProcess.spawn(
        "sh",
        [
          "-c",
          `(while kill -0 $$; do sleep 0.05; done
        exec "${process.execPath}" "${program}" run --exit-with-parent --id a -- sh -c '${tellGroup}; exec sleep 1000' 2> said) &
        echo $! > wrapper`
        ],
        { cwd: at.directory, env: at.env, stdio: "ignore", detached: true }
      )
      const wrapper = Number(await eventually("it is started", () => at.lines("wrapper")[0]))
      await gone(wrapper)
      assert.deepStrictEqual(groups(at), [])
      assert.deepStrictEqual(await at.history(), [])
    }
  )

  it.skipIf(childProcess.spawnSync("unshare", ["--mount", "true"]).status !== 0)(
    "is not begun where the system does not show its processes",
    async (context) => {
      const at = await stage(context)
      const run = `mount -t tmpfs none /proc && exec "${process.execPath}" "${program}" run --id a -- touch begun`
      const { status, stderr } = childProcess.spawnSync("unshare", ["--mount", "sh", "-c", run], {
        cwd: at.directory,
        env: at.env,
        encoding: "utf8"
      })
      assert.strictEqual(status, ExitCode.system)
      assert.match(stderr, /in \/proc, which is not mounted/)
      assert.isFalse(fs.existsSync(at.file("begun")))
      assert.deepStrictEqual(await at.history(), [])
    }
  )

  it("is looked for before the campaign", async (context) => {
    const at = await stage(context)
    fs.writeFileSync(at.file("plain"), "")
    const [missing, plain] = [at.start(["run", "--", "no-such-command"]), at.start(["run", "--", "./plain"])]
    assert.strictEqual(code(await missing.ended), ExitCode.notFound)
    assert.strictEqual(code(await plain.ended), ExitCode.notExecutable)
    assert.match(missing.said, /^fdb-election: no-such-command was not found in PATH: [^\n]*\n$/)
    assert.match(plain.said, /^fdb-election: \.\/plain cannot be executed: [^\n]*\n$/)
    assert.deepStrictEqual(await at.history(), [])
  })

  it("gets the signals that the wrapper gets, and the wrapper resigns only after it has ended", async (context) => {
    const at = await stage(context)
    const run = at.run(
      ["--id", "a"],
      `trap 'echo usr1 >> $DIRECTORY/log' USR1
      trap 'sleep 0.5; date +%s%N >> $DIRECTORY/log; exit 9' TERM
      ${tellGroup}; while :; do sleep 1000 & wait; done`
    )
    await nthGroup(at, 0)
    run.signal("SIGUSR1")
    await eventually("USR1 arrives", () => at.lines("log")[0])
    run.signal("SIGTERM")
    assert.strictEqual(code(await run.ended), 9)
    const [tenure] = await at.history()
    assert.isBelow(Number(at.lines("log")[1]), Number(tenure?.end))
  })

  it("waits while another leads, and begins after that one's command has ended", async (context) => {
    const at = await stage(context)
    const [low] = [at.run(["--id", "low"], obedient)]
    await nthGroup(at, 0)
    const high = at.run(["--id", "high", "--priority", "5"], obedient)
    await nthGroup(at, 1)
    assert.strictEqual(code(await low.ended), ExitCode.tryAgain)
    assert.match(
      low.said,
      /the command was ended because the leadership of term 1 was lost: a candidate of higher priority/
    )
    const [begin, end, next] = at.lines("log").map((line) => line.split(" "))
    assert.deepStrictEqual([begin![0], begin![2]], ["begin", "low"])
    assert.deepStrictEqual([end![0], end![2]], ["end", "low"])
    assert.deepStrictEqual([next![0], next![2]], ["begin", "high"])
    assert.isBelow(Number(end![3]), Number(next![3]))
    assert.isBelow(Number(begin![1]), Number(next![1]))
    high.signal("SIGTERM")
    assert.strictEqual(code(await high.ended), 0)
  })

  it("is run again with --again, after it has ended and after its leadership was lost", async (context) => {
    const at = await stage(context)
    const run = at.run(["--again"], `${tellGroup}; [ $(wc -l < $DIRECTORY/groups) -gt 1 ] || exit 3; exec sleep 1000`)
    const second = await nthGroup(at, 1)
    await at.askToStepDown()
    const third = await nthGroup(at, 2)
    assert.isTrue(groupIsGone(second))
    run.signal("SIGINT")
    assert.strictEqual(code(await run.ended), ExitCode.interrupted)
    assert.isTrue(groupIsGone(third))
    assert.match(run.said, /the command has ended with 3; campaigns again/)
    const terms = (await at.history()).map(({ term }) => term)
    assert.strictEqual(new Set(terms).size, 3)
  })

  it("goes on when the lease is made shorter than what it used to keep in reserve", async (context) => {
    const at = await stage(context, "45 seconds")
    const shorter = Duration.seconds(12)
    const run = at.run(["--id", "a"], obedient)
    const group = await nthGroup(at, 0)
    const waiting = at.run(["--id", "b"], obedient)
    await eventually("it waits", () => /waits: "a" leads/.test(waiting.said) || undefined, () => at.said)
    await at.configure(shorter)
    await eventually("the lease is shorter", async () => {
      const leader = await at.leader()
      return leader !== undefined && Duration.equals(leader.leaseDuration, shorter) ? true : undefined
    }, () => at.said)
    assert.isFalse(groupIsGone(group))
    run.signal("SIGTERM")
    assert.strictEqual(code(await run.ended), 0)
    await nthGroup(at, 1)
    waiting.signal("SIGTERM")
    assert.strictEqual(code(await waiting.ended), 0)
  })

  it("says that it waits for an election to be enabled", async (context) => {
    const at = await stage(context)
    await at.configure("30 seconds", { electionEnabled: false })
    const run = at.run(["--id", "a"], obedient)
    await eventually("it says so", () => /waits: app\/test is disabled/.test(run.said) ? true : undefined)
    await at.configure("30 seconds")
    await nthGroup(at, 0)
    assert.match(run.said, /is disabled.*takes part in app\/test as "a".*leads app\/test/s)
    run.signal("SIGTERM")
    await run.ended
  })

  it("may be interrupted while it waits, and takes its leave", async (context) => {
    const at = await stage(context)
    const leader = at.run(["--id", "a"], obedient)
    await nthGroup(at, 0)
    const waiting = at.run(["--id", "b"], obedient)
    await eventually("it waits", () => /waits: "a" leads/.test(waiting.said) ? true : undefined)
    waiting.signal("SIGTERM")
    assert.strictEqual(code(await waiting.ended), 143)
    leader.signal("SIGTERM")
    await leader.ended
    assert.lengthOf(groups(at), 1)
  })

  it("is ended when another process takes its id", async (context) => {
    const at = await stage(context, lapsing)
    const first = at.run(["--id", "same"], obedient)
    const group = await nthGroup(at, 0)
    const second = at.run(["--id", "same"], obedient)
    assert.include([ExitCode.idTaken, ExitCode.tryAgain], code(await first.ended))
    assert.isTrue(groupIsGone(group))
    await nthGroup(at, 1)
    second.signal("SIGTERM")
    await second.ended
  })
})

/** The launcher is the leader of its command's group. */
describe.concurrent("a wrapper whose launcher is stopped", () => {
  for (const signal of ["SIGTERM", "SIGHUP"] as const) {
    it(`ends by ${signal} when its command has`, async (context) => {
      const at = await stage(context)
      const run = at.run(
        ["--id", "a"],
        `trap 'exit 6' TERM HUP; trap 'echo reached >> $DIRECTORY/log' USR1; ${tellGroup}; while :; do sleep 0.1; done`
      )
      const launcher = await nthGroup(at, 0)
      await eventually("signals reach the command", () => {
        run.signal("SIGUSR1")
        return at.lines("log")[0]
      })
      process.kill(launcher, "SIGSTOP")
      run.signal(signal)
      assert.strictEqual(code(await run.ended), 6)
      assert.strictEqual((await at.history())[0]?.reason, "resigned")
    })
  }

  it("ends when its command has ended by itself, also at once", async (context) => {
    const at = await stage(context)
    const atOnce = at.run(["--id", "a"], "kill -STOP $PPID; exit 6")
    assert.strictEqual(code(await atOnce.ended), 6)
    const later = at.run(["--id", "a"], `kill -STOP $PPID; sleep 1; kill -STOP $PPID; exit 7`)
    assert.strictEqual(code(await later.ended), 7)
  })

  it("ends by SIGTERM though the whole command is stopped", async (context) => {
    const at = await stage(context)
    const run = at.run(["--id", "a"], obedient)
    const group = await nthGroup(at, 0)
    signalGroup(group, "SIGSTOP")
    await eventually("it is stopped", () => statOf(childrenOf(group)[0]!)?.[0] === "T" ? true : undefined)
    run.signal("SIGTERM")
    assert.include([0, ExitCode.ofSignal("SIGTERM")], code(await run.ended))
    assert.match(at.lines("log")[1] ?? "", /^end/)
  })

  it("steps down when it is asked to", async (context) => {
    const at = await stage(context)
    const run = at.run(["--id", "a"], obedient)
    process.kill(await nthGroup(at, 0), "SIGSTOP")
    await at.askToStepDown()
    assert.strictEqual(code(await run.ended), ExitCode.tryAgain)
  })
})

describe.concurrent("two wrappers with one id and --again", () => {
  it("do not end each other's command for ever: one waits, and runs it when the other has ended", async (context) => {
    const at = await stage(context, lapsing)
    const first = at.run(["--id", "same", "--again"], obedient)
    const group = await nthGroup(at, 0)
    const second = at.run(["--id", "same", "--again"], obedient)
    await nthGroup(at, 1)
    assert.isTrue(groupIsGone(group))
    const waits = /waits until the other process with the id "same" is gone/
    await eventually("the first to wait", () => waits.test(first.said) || undefined, () => first.said)
    second.signal("SIGTERM")
    await second.ended
    await nthGroup(at, 2)
    first.signal("SIGTERM")
    await first.ended
  })
})

describe.concurrent("a command whose store is replaced", () => {
  it("is ended at once, whatever is left of its lease, and the next leads in what is there now", async (context) => {
    const at = await stage(context, lasting)
    const leader = at.run(["--id", "a"], obedient)
    const group = await nthGroup(at, 0)
    const waiting = at.run(["--id", "b"], obedient)
    await eventually("it waits", () => /follow|lead/.test(waiting.said) ? true : undefined)
    fs.renameSync(at.file("store"), at.file("away"))
    await gone(group)
    assert.strictEqual(code(await leader.ended), ExitCode.tryAgain)
    assert.include(leader.said, "its store, are gone, replaced")
    assert.strictEqual(code(await waiting.ended), ExitCode.unavailable)
    assert.match(waiting.said, /replaced while it was open .*start them again/)
    assert.strictEqual(code(await at.run(["--id", "a"], "exit 3").ended), 3)
  })

  it("is ended, and with --again not run again", async (context) => {
    const at = await stage(context)
    const leader = at.run(["--id", "a", "--again"], obedient)
    await nthGroup(at, 0)
    fs.rmSync(at.file("store/lock.mdb"))
    assert.strictEqual(code(await leader.ended), ExitCode.unavailable)
    assert.match(leader.said, /lock\.mdb is gone/)
  })
})

describe.concurrent("beside a process that has the lock of the store and does not let go of it", () => {
  it("a leader ends by SIGTERM, after its command", async (context) => {
    const at = await stage(context)
    const leader = at.run(["--id", "a"], `${tellGroup}; exec sleep 1000`)
    const group = await nthGroup(at, 0)
    await at.hold()
    leader.signal("SIGTERM")
    assert.include(["SIGTERM", ExitCode.ofSignal("SIGTERM")], code(await leader.ended))
    assert.isTrue(groupIsGone(group))
  })
})

describe.concurrent("nothing is left of a command when its lease can lapse", () => {
  it("though the wrapper is killed, and the command ignores SIGTERM", async (context) => {
    const at = await stage(context, lapsing)
    const run = at.run(["--id", "a"], stubborn)
    const group = await beating(at)
    await endsWithinLease(at, group, () => run.signal("SIGKILL"))
  })

  for (const signal of ["SIGKILL", "SIGSTOP"] as const) {
    it(`though the watchdog process is killed, and the wrapper gets ${signal} at once`, async (context) => {
      const at = await stage(context, lapsing)
      const run = at.run(["--id", "a"], stubborn)
      const group = await beating(at)
      const watchdog = watchdogOf(run)
      await endsWithinLease(at, group, () => {
        run.signal("SIGSTOP")
        process.kill(watchdog, "SIGKILL")
        run.signal(signal)
      })
    })
  }

  it("though the wrapper is stopped; it finds that out when it goes on", async (context) => {
    const at = await stage(context, lapsing)
    const run = at.run(["--id", "a"], stubborn)
    const group = await beating(at)
    const next = at.run(["--id", "b"], "exit 0")
    await eventually("the other waits", () => /waits: "a" leads/.test(next.said) ? true : undefined)
    await endsWithinLease(at, group, () => at.stop(run))
    assert.strictEqual(code(await next.ended), 0)
    run.signal("SIGCONT")
    assert.strictEqual(code(await run.ended), ExitCode.tryAgain)
    assert.deepStrictEqual((await at.history()).map(({ leaderId, reason }) => [leaderId, reason]), [
      ["b", "resigned"],
      ["a", "expired"]
    ])
  })

  it("though it ignores SIGTERM when the leader has to step down", async (context) => {
    const at = await stage(context, lapsing)
    const run = at.run(["--id", "a"], stubborn)
    const group = await beating(at)
    await endsWithinLease(at, group, () => at.askToStepDown())
    assert.strictEqual(code(await run.ended), ExitCode.tryAgain)
    const [tenure] = await at.history()
    assert.strictEqual(tenure?.reason, "stepped-down")
    assert.isBelow(Number(at.lines("beats").at(-1)), Number(tenure?.end))
  })

  it("though its lease cannot be renewed any more", async (context) => {
    const at = await stage(context, lapsing)
    const run = at.run(["--id", "a"], stubborn)
    const group = await beating(at)
    await endsWithinLease(at, group, () => at.configure(lapsing, { electionEnabled: false }))
    assert.strictEqual(code(await run.ended), ExitCode.tryAgain)
    assert.match(run.said, /the election was disabled/)
  })

  it("though the wrapper is cut off from the store, and its own calls hang", async (context) => {
    const at = await stage(context, lapsing)
    const run = at.run(["--id", "a"], stubborn)
    const group = await beating(at)
    const release = await at.hold()
    // Nothing is committed any more, so the lease has been renewed before this for the last time.
    const lapse = Date.now() + Duration.toMillis(lapsing)
    await gone(group)
    assert.isBelow(Number(at.lines("beats").at(-1)) / 1e6, lapse)
    release()
    assert.strictEqual(code(await run.ended), ExitCode.tryAgain)
    assert.match(run.said, /the store does not answer correctly; trying again/)
    assert.match(run.said, /the lease could not be renewed in time/)
  })

  it("though it is stopped: it goes on to see SIGTERM", async (context) => {
    const at = await stage(context)
    const run = at.run(["--id", "a"], obedient)
    const group = await nthGroup(at, 0)
    signalGroup(group, "SIGSTOP")
    await eventually("it is stopped", () => statOf(childrenOf(group)[0]!)?.[0] === "T" ? true : undefined)
    await at.askToStepDown()
    assert.strictEqual(code(await run.ended), ExitCode.tryAgain)
    assert.match(at.lines("log")[1] ?? "", /^end/)
  })

  it("though it ends and leaves grandchildren behind, that ignore SIGTERM", async (context) => {
    const at = await stage(context)
    const run = at.run(
      ["--id", "a", "--grace", "1s"],
      `${tellGroup}; ${beat} & until [ -s $DIRECTORY/beats ]; do sleep 0.05; done; exit 4`
    )
    const group = await beating(at)
    assert.strictEqual(code(await run.ended), 4)
    assert.isTrue(groupIsGone(group))
    const [tenure] = await at.history()
    assert.isBelow(Number(at.lines("beats").at(-1)), Number(tenure?.end))
  })

  it(
    "though what it leaves behind forks and ends again and again, so that no look at the processes need show it",
    async (context) => {
      const at = await stage(context)
      fs.writeFileSync(at.file("link.sh"), `[ -e end ] || { echo >> links; sh ./link.sh & }`)
      context.onTestFinished(() => fs.writeFileSync(at.file("end"), ""))
      const run = at.run(["--id", "a"], `${tellGroup}; sh ./link.sh; until [ -s links ]; do :; done; exit 4`)
      assert.strictEqual(code(await run.ended), 4)
      const links = at.lines("links").length
      await new Promise((resolve) => setTimeout(resolve, 500))
      assert.strictEqual(at.lines("links").length, links)
    }
  )

  it("though nobody reads what it writes, and the wrapper's own messages go there too", async (context) => {
    const at = await stage(context)
    execFileSync("mkfifo", [at.file("pipe")])
    const pipe = fs.openSync(at.file("pipe"), fs.constants.O_RDWR)
    context.onTestFinished(() => fs.closeSync(pipe))
    const run = at.run(["--id", "a"], `${tellGroup}; yes >&2`, { stdio: ["ignore", "ignore", pipe] })
    const group = await nthGroup(at, 0)
    await eventually("the pipe is full", () => isFull(at.file("pipe")) ? true : undefined)
    await at.askToStepDown()
    assert.strictEqual(code(await run.ended), ExitCode.tryAgain)
    assert.isTrue(groupIsGone(group))
    const [tenure] = await at.history()
    assert.strictEqual(tenure?.reason, "stepped-down")
  })

  it("though the watchdog process is killed: the wrapper does not go on without", async (context) => {
    const at = await stage(context)
    const run = at.run(["--id", "a", "--again"], obedient)
    const group = await nthGroup(at, 0)
    process.kill(watchdogOf(run), "SIGKILL")
    assert.strictEqual(code(await run.ended), ExitCode.system)
    assert.match(run.said, /the watchdog process, which guards the command, has ended \(SIGKILL\)/)
    assert.isTrue(groupIsGone(group))
    const [tenure] = await at.history()
    assert.strictEqual(tenure?.reason, "resigned")
  })

  it("though the wrapper is killed while the command begins", async (context) => {
    const at = await stage(context, lapsing)
    const run = at.run(["--id", "a"], stubborn)
    await eventually("it leads", () => /leads/.test(run.said) ? true : undefined)
    run.signal("SIGKILL")
    const leader = await at.leader()
    await eventually(
      "the lease has lapsed",
      () => BigInt(Date.now()) * 1_000_000n > leader!.leaseExpiry ? true : undefined
    )
    assert.isTrue(groups(at).every(groupIsGone))
    const last = at.lines("beats").at(-1)
    if (last !== undefined) assert.isBelow(Number(last), Number(leader!.leaseExpiry))
  })
})

describe.concurrent("when the wrapper is killed, another process leads without waiting for the lease", () => {
  it("as soon as a command that ends on SIGTERM has ended", async (context) => {
    const at = await stage(context, lasting)
    const run = at.run(["--id", "a"], obedient)
    await nthGroup(at, 0)
    const next = at.run(["--id", "b"], `echo "next $(date +%s%N)" >> $DIRECTORY/log`)
    await eventually("the other waits", () => /waits: "a" leads/.test(next.said) ? true : undefined)
    run.signal("SIGKILL")
    assert.strictEqual(code(await next.ended), 0)
    assert.deepStrictEqual(at.lines("log").map((line) => line.split(" ")[0]), ["begin", "end", "next"])
    assert.deepStrictEqual((await at.history()).map(({ leaderId, reason }) => [leaderId, reason]), [
      ["b", "resigned"],
      ["a", "died"]
    ])
  })

  it(
    "but not before all of a command has ended that ignores SIGTERM, and what it has sent to the background",
    async (context) => {
      const at = await stage(context)
      const run = at.run(["--id", "a", "--grace", "2s"], stubborn)
      const group = await beating(at)
      const next = at.run(["--id", "b"], `date +%s%N > $DIRECTORY/next`)
      await eventually("the other waits", () => /waits: "a" leads/.test(next.said) ? true : undefined)
      await endsWithinLease(at, group, () => run.signal("SIGKILL"))
      assert.strictEqual(code(await next.ended), 0)
      assert.isBelow(Number(at.lines("beats").at(-1)), Number(at.lines("next")[0]))
      assert.strictEqual((await at.history()).at(-1)?.reason, "died")
    }
  )

  it("but not while a daemon of the command lives, which has left its group and session", async (context) => {
    const at = await stage(context, lapsing)
    const run = at.run(["--id", "a"], `setsid sh -c '${tellGroup}; exec sleep 1000' & ${tellGroup}; sleep 1000 & wait`)
    await nthGroup(at, 1)
    const next = at.run(["--id", "b"], "exit 0")
    await eventually("the other waits", () => /waits: "a" leads/.test(next.said) ? true : undefined)
    run.signal("SIGKILL")
    assert.strictEqual(code(await next.ended), 0)
    // The lease has decided, as it has always done.
    assert.strictEqual((await at.history()).at(-1)?.reason, "expired")
  })

  it("but not if the watchdog process is killed as well", async (context) => {
    const at = await stage(context, lapsing)
    const run = at.run(["--id", "a"], obedient)
    const group = await nthGroup(at, 0)
    const watchdog = watchdogOf(run)
    const next = at.run(["--id", "b"], "exit 0")
    await eventually("the other waits", () => /waits: "a" leads/.test(next.said) ? true : undefined)
    process.kill(watchdog, "SIGSTOP")
    run.signal("SIGKILL")
    process.kill(watchdog, "SIGKILL")
    assert.strictEqual(code(await next.ended), 0)
    assert.strictEqual((await at.history()).at(-1)?.reason, "expired")
    assert.isTrue(groupIsGone(group))
  })
})
