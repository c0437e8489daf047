import { assert, describe, it } from "@effect/vitest"
import * as childProcess from "node:child_process"
import * as fs from "node:fs"
import type { TestContext } from "vitest"
import { groupIsGone, signalProcess, statOf } from "../src/internal/run/processGroup.ts"
import { eventually, program, Run, Stage } from "./support/processes.ts"

/** A command on a terminal of its own, for which `script` sees; an interactive shell unless another is given. */
class TerminalOf {
  readonly at = new Stage()
  private readonly shell: Run
  private screen = ""

  constructor({ onTestFinished }: TestContext, command = "bash --norc --noprofile -i") {
    const child = childProcess.spawn("script", ["-qec", command, "/dev/null"], {
      env: { ...this.at.env, PS1: "$ ", TERM: "dumb" },
      cwd: this.at.directory,
      detached: true
    })
    this.shell = new Run(child)
    child.stdout.on("data", (chunk: Buffer) => (this.screen += chunk.toString()))
    onTestFinished(() => {
      signalProcess(-this.shell.pid, "SIGKILL")
      this.at.clear()
    })
  }

  type(keys: string): void {
    this.shell.child.stdin!.write(keys)
  }

  /** The terminal goes away, as with a connection or a window. */
  hangUp(): void {
    this.shell.signal("SIGKILL")
  }

  shows(what: RegExp): Promise<RegExpMatchArray> {
    return eventually(
      `the terminal shows ${what}`,
      () => this.screen.match(what) ?? undefined,
      () => `; it shows ${this.screen}`
    )
  }

  doesNotShow(what: RegExp): void {
    assert.notMatch(this.screen, what)
  }
}

const gone = (pid: number) => eventually(`${pid} is gone`, () => statOf(pid) === undefined ? true : undefined)

/** Of the command, it is the shell that gives it the terminal; of that, the wrapper. */
const parentOf = (pid: number): number => Number(statOf(pid)?.[1])

/** The group of a process has the terminal: what is typed now is for it, and so are the signals of Ctrl-C and Ctrl-Z. */
const hasTerminal = (pid: number) =>
  eventually(`the group of ${pid} has the terminal`, () => {
    const stat = statOf(pid)
    return stat !== undefined && stat[2] === stat[5] ? true : undefined
  })

const tellGroup = `cut -d " " -f 5 /proc/$$/stat >> $DIRECTORY/groups`

const run = `${process.execPath} ${program} run --id a --`

describe.concurrent("on a terminal, a command that leads", () => {
  it("reads what is typed, has the terminal for its own, and is interrupted by Ctrl-C", async (context) => {
    const terminal = new TerminalOf(context)
    await terminal.at.configure("30 seconds")
    terminal.type(
      `${run} sh -c 'trap "exit 5" INT; read x < /dev/tty; read y; echo "it got $x $y"; while :; do sleep 0.1; done'; echo "status $?"\n`
    )
    await terminal.shows(/leads app\/test/)
    terminal.type("one\ntwo\n")
    await terminal.shows(/it got one two/)
    // A shell may miss the interrupt of the very instant in which it starts a process; the loop starts another soon.
    terminal.type("\u0003")
    await terminal.shows(/status 5/)
    assert.isUndefined(await terminal.at.leader())
  })

  it("is suspended by Ctrl-Z, and goes on with fg", async (context) => {
    const terminal = new TerminalOf(context)
    await terminal.at.configure("30 seconds")
    terminal.type(`${run} sh -c '${tellGroup}; echo "it be""gins"; read x; echo "it got $x"; exit 6'\n`)
    await terminal.shows(/it begins/)
    terminal.type("\u001a")
    await terminal.shows(/\[1\]\+ +Stopped/)
    terminal.type("fg\n")
    await hasTerminal(Number(terminal.at.lines("groups")[0]))
    terminal.type("one\n")
    await terminal.shows(/it got one/)
    await terminal.shows(/has resigned/)
  })

  it("is not suspended when the wrapper is told to go on that has not stopped", async (context) => {
    const terminal = new TerminalOf(context)
    await terminal.at.configure("30 seconds")
    terminal.type(
      `${run} sh -c '${tellGroup}; echo "it be""gins"; read x; echo "it got $x"; exit 6'\n`
    )
    await terminal.shows(/it begins/)
    process.kill(parentOf(parentOf(Number(terminal.at.lines("groups")[0]))), "SIGCONT")
    terminal.type("one\n")
    await terminal.shows(/it got one/)
    await terminal.shows(/has resigned/)
    terminal.doesNotShow(/Stopped/)
  })

  it(
    "goes on in the background with bg, is stopped there when it reads, and has the terminal again with fg",
    async (context) => {
      const terminal = new TerminalOf(context)
      await terminal.at.configure("30 seconds")
      terminal.type(
        `${run} sh -c '${tellGroup}; echo "it be""gins"; while read x; do echo "it got $x"; done'\n`
      )
      await terminal.shows(/it begins/)
      const group = Number(terminal.at.lines("groups")[0])
      const wrapper = parentOf(parentOf(group))
      terminal.type("\u001a")
      await terminal.shows(/\[1\]\+ +Stopped/)
      terminal.type("bg\n")
      await eventually("the wrapper goes on", () => statOf(wrapper)?.[0] === "S" ? true : undefined)
      terminal.type("echo \"the shell's $((1 + 1))\"\n")
      await terminal.shows(/the shell's 2/)
      terminal.type("fg\n")
      await hasTerminal(group)
      terminal.type("one\n")
      await terminal.shows(/it got one/)
      terminal.type("\u0004")
      await terminal.shows(/has resigned/)
    }
  )

  it("begins in the background, and stops nobody there, if it is elected there", async (context) => {
    const terminal = new TerminalOf(context)
    await terminal.at.configure("30 seconds")
    const leader = terminal.at.run(["--id", "b"], "exec sleep 1000")
    await eventually("b leads", async () => (await terminal.at.leader()) === undefined ? undefined : true)
    terminal.type(`${run} sh -c 'echo $PPID > $DIRECTORY/groups; exec sleep 1000'\n`)
    await terminal.shows(/waits: "b" leads/)
    terminal.type("\u001a")
    await terminal.shows(/\[1\]\+ +Stopped/)
    terminal.type("bg\n")
    await terminal.shows(/&\r\n/)
    leader.signal("SIGTERM")
    const group = Number(await eventually("it begins", () => terminal.at.lines("groups")[0]))
    assert.strictEqual(statOf(group)?.[4], "0", "a session without a terminal")
    assert.notStrictEqual(statOf(parentOf(group))?.[0], "T")
    terminal.type("echo \"the shell's $((1 + 1))\"\n")
    await terminal.shows(/the shell's 2/)
    terminal.type("fg\n")
    await hasTerminal(parentOf(group))
    terminal.type("\u0003")
    await terminal.shows(/has resigned/)
  })

  for (
    const [how, trap] of [
      ["ends by that", ""],
      ["withstands that and reads to the end", `trap "" HUP;`],
      ["withstands that and ends a moment later", `trap "sleep 1; exit" HUP; sleep 1000 & wait;`]
    ]
  ) {
    it(`is not begun anew when the terminal hangs up, and ${how}; the wrapper ends`, async (context) => {
      const terminal = new TerminalOf(context, `sh -c '${run.replace("--id", "--again --id")} sh ./job; echo end'`)
      await terminal.at.configure("30 seconds")
      fs.writeFileSync(terminal.at.file("job"), `cut -d " " -f 5 /proc/$$/stat >> groups; ${trap} cat; exit 3\n`)
      await eventually("it begins", () => terminal.at.lines("groups")[0])
      const group = Number(terminal.at.lines("groups")[0])
      const wrapper = parentOf(parentOf(group))
      terminal.hangUp()
      await gone(wrapper)
      assert.isTrue(groupIsGone(group))
      assert.lengthOf(terminal.at.lines("groups"), 1)
      assert.isTrue((await terminal.at.history()).every(({ reason }) => reason === "resigned"))
    })
  }

  it("is ended when it has been suspended for too long, and the shell has the terminal again", async (context) => {
    const terminal = new TerminalOf(context)
    await terminal.at.configure("6 seconds")
    // A shell that is stopped in the very instant in which it starts a process never counts as stopped; so it becomes one.
    terminal.type(
      `${run} sh -c '${tellGroup}; echo "it be""gins"; exec sleep 100'\n`
    )
    await terminal.shows(/it begins/)
    terminal.type("\u001a")
    await terminal.shows(/\[1\]\+ +Stopped/)
    const next = terminal.at.run(["--id", "b"], "exit 0")
    assert.strictEqual((await next.ended).code, 0)
    terminal.type("fg\n")
    await terminal.shows(/the command was ended because the leadership of term/)
    terminal.type("echo \"status $?\"\n")
    await terminal.shows(/status 75/)
  })
})

describe.concurrent("on a terminal, watch", () => {
  it("fits its size, also when that changes, and while it is suspended", async (context) => {
    const terminal = new TerminalOf(context)
    await terminal.at.configure("30 seconds")
    terminal.at.run(["--id", "a"], "echo $$ >> $DIRECTORY/groups; exec sleep 1000")
    await eventually("a leads", async () => (await terminal.at.leader()) === undefined ? undefined : true)
    terminal.type(`stty rows 5 cols 30; tty > $DIRECTORY/tty; ${process.execPath} ${program} watch\n`)
    await terminal.shows(
      /\[JLeader +a, [^\n]+\n[^\n]*\[JTerm [^\n]+\n[^\n]*\[JBallot [^\n]+\n[^\n]*\[J {2}\.\.\. 1 more\S*\r\n/
    )
    terminal.doesNotShow(/\[J(Election|Lease)|\[J[^\r]{31}/)
    const resize = (rows: number) =>
      childProcess.execFileSync("stty", ["-F", terminal.at.lines("tty")[0]!, "rows", String(rows)])
    resize(7)
    await terminal.shows(/\[JLease [^\n]+\n[^\n]*\[JConfig [^\n]+\n[^\n]*\[J {2}\.\.\. 1 more/)
    terminal.type("\u001a")
    await terminal.shows(/\[1\]\+ +Stopped/)
    resize(40)
    terminal.type("fg\n")
    await terminal.shows(/\[JElection [^]*\[J {2}\* {2}a [^]*\[JCtrl-C ends the watch/)
  })
})
