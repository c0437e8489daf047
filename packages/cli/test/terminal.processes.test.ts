import { assert, describe, it } from "@effect/vitest"
import * as childProcess from "node:child_process"
import type { TestContext } from "vitest"
import { statOf } from "../src/internal/run/processGroup.ts"
import { eventually, program, Run, Stage } from "./support/processes.ts"

/** An interactive shell on a terminal of its own, for which `script` sees. */
class TerminalOf {
  readonly at = new Stage()
  private readonly shell: Run
  private screen = ""

  constructor({ onTestFinished }: TestContext) {
    const child = childProcess.spawn("script", ["-qec", "bash --norc --noprofile -i", "/dev/null"], {
      env: { ...this.at.env, PS1: "$ ", TERM: "dumb" },
      cwd: this.at.directory,
      detached: true
    })
    this.shell = new Run(child)
    child.stdout.on("data", (chunk: Buffer) => (this.screen += chunk.toString()))
    onTestFinished(() => {
      process.kill(-this.shell.pid, "SIGKILL")
      this.at.clear()
    })
  }

  type(keys: string): void {
    this.shell.child.stdin!.write(keys)
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

/** Of the command, it is the shell that gives it the terminal; of that, the wrapper. */
const parentOf = (pid: number): number => Number(statOf(pid)?.[1])

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
  }, 180_000)

  it("is suspended by Ctrl-Z, and goes on with fg", async (context) => {
    const terminal = new TerminalOf(context)
    await terminal.at.configure("30 seconds")
    terminal.type(`${run} sh -c 'echo "it be""gins"; read x; echo "it got $x"; exit 6'; echo "status $?"\n`)
    await terminal.shows(/it begins/)
    terminal.type("\u001a")
    await terminal.shows(/\[1\]\+ +Stopped/)
    terminal.type("fg\n")
    terminal.type("one\n")
    await terminal.shows(/it got one/)
    await terminal.shows(/has resigned/)
  }, 180_000)

  it("is not suspended when the wrapper is told to go on that has not stopped", async (context) => {
    const terminal = new TerminalOf(context)
    await terminal.at.configure("30 seconds")
    terminal.type(`${run} sh -c 'echo $$ >> $DIRECTORY/groups; echo "it be""gins"; read x; echo "it got $x"; exit 6'\n`)
    await terminal.shows(/it begins/)
    process.kill(parentOf(parentOf(Number(terminal.at.lines("groups")[0]))), "SIGCONT")
    terminal.type("one\n")
    await terminal.shows(/it got one/)
    await terminal.shows(/has resigned/)
    terminal.doesNotShow(/Stopped/)
  }, 180_000)

  it("is ended when it has been suspended for too long, and the shell has the terminal again", async (context) => {
    const terminal = new TerminalOf(context)
    await terminal.at.configure("6 seconds")
    // A shell that is stopped in the very instant in which it starts a process never counts as stopped; so it becomes one.
    terminal.type(`${run} sh -c 'echo $$ >> $DIRECTORY/groups; echo "it be""gins"; exec sleep 100'\n`)
    await terminal.shows(/it begins/)
    terminal.type("\u001a")
    await terminal.shows(/\[1\]\+ +Stopped/)
    const next = terminal.at.run(["--id", "b"], "exit 0")
    assert.strictEqual((await next.ended).code, 0)
    terminal.type("fg\n")
    await terminal.shows(/the command was ended with the leadership of term/)
    terminal.type("echo \"status $?\"\n")
    await terminal.shows(/status 75/)
  }, 180_000)
})

describe.concurrent("on a terminal, watch", () => {
  it("fits its size, also when that changes, and while it is suspended", async (context) => {
    const terminal = new TerminalOf(context)
    await terminal.at.configure("30 seconds")
    terminal.at.run(["--id", "a"], "echo $$ >> $DIRECTORY/groups; exec sleep 1000")
    await eventually("a leads", async () => (await terminal.at.leader()) === undefined ? undefined : true)
    terminal.type(`stty rows 5 cols 30; tty > $DIRECTORY/tty; ${process.execPath} ${program} watch\n`)
    await terminal.shows(
      /\[JLeader +a, [^\n]+\n[^\n]*\[JTerm [^\n]+\n[^\n]*\[JBallot [^\n]+\n[^\n]*\[J {2}\.\.\. 1 more alive\S*\r\n/
    )
    terminal.doesNotShow(/\[J(Election|Lease)|\[J[^\r]{31}/)
    const resize = (rows: number) =>
      childProcess.execFileSync("stty", ["-F", terminal.at.lines("tty")[0]!, "rows", String(rows)])
    resize(7)
    await terminal.shows(/\[JLease [^\n]+\n[^\n]*\[JConfig [^\n]+\n[^\n]*\[J {2}\.\.\. 1 more alive/)
    terminal.type("\u001a")
    await terminal.shows(/\[1\]\+ +Stopped/)
    resize(40)
    terminal.type("fg\n")
    await terminal.shows(/\[JElection [^]*\[J {2}\* {2}a [^]*\[JCtrl-C ends the watch/)
  }, 180_000)
})
