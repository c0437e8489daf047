/**
 * The launcher: a small process that leads the process group of a command, and starts the command in it when the wrapper says so.
 *
 * - The group is there before the command, and its number is the launcher's pid. So the wrapper can make sure of it, and have it
 *   guarded, before anything begins; and no other group has this number while the launcher lives.
 * - The command inherits the descriptors 0, 1 and 2. The launcher opens no store, and closes what it has inherited itself.
 * - What the command is, and its environment, come over descriptor 3: no shell and no list of processes gets to see them.
 * - It knows the same last deadline as the watchdog process, and kills its group and itself then: also when wrapper and watchdog
 *   process are dead.
 *
 * It ends when the command has, or before the command when its input ends. Until the command begins, a signal ends the launcher;
 * from then on only SIGKILL does, and what stops the group stops it too, for a shell to see.
 *
 * This is a plain program and no Effect: it has to start fast.
 */
import * as ChildStdio from "@effect-fdb/lmdb/ChildStdio"
import * as childProcess from "node:child_process"
import * as fs from "node:fs"
import * as net from "node:net"
import * as os from "node:os"
import { createInterface } from "node:readline"
import { exit } from "../standardStreams.ts"
import { signalGroup } from "./processGroup.ts"

/** What the launcher is told: an instant of the host's monotonic clock, in nanoseconds, at which nothing may be left. */
export interface Until {
  readonly killAt: string
}

export interface Begin {
  /** The path of the command. */
  readonly file: string
  /** Its name, as it was given, and its arguments. */
  readonly argv: ReadonlyArray<string>
  readonly env: NodeJS.ProcessEnv
}

/** What the launcher tells. */
export type Told =
  | { readonly tag: "Ready"; readonly pid: number }
  | { readonly tag: "Began" }
  | ({ readonly tag: "Failed"; readonly message: string } & Pick<NodeJS.ErrnoException, "code" | "errno">)
  | { readonly tag: "Ended"; readonly code: number | null; readonly signal: NodeJS.Signals | null }

const descriptor = 3

/** Those that end a process and may be withstood. SIGPROF is V8's own; the others tell of faults. */
const withstood = (Object.keys(os.constants.signals) as Array<NodeJS.Signals>).filter((signal) =>
  !/^SIG(KILL|STOP|TSTP|TTIN|TTOU|CONT|CHLD|URG|WINCH|PROF|ILL|TRAP|ABRT|IOT|BUS|FPE|SEGV|SYS)$/.test(signal)
)

for (const inherited of ChildStdio.inheritable()) if (inherited !== descriptor) fs.closeSync(inherited)

const channel = new net.Socket({ fd: descriptor, allowHalfOpen: true })
channel.on("error", () => {})

const tell = (told: Told): void => void channel.write(`${JSON.stringify(told)}\n`)

/** Ends when the other side has been told, or is not there to be told. */
const end = (told: Told): void => {
  channel.on("error", () => exit(0))
  channel.end(`${JSON.stringify(told)}\n`, () => exit(0))
}

const start = (file: string, argv0: string, args: ReadonlyArray<string>, env: NodeJS.ProcessEnv): void => {
  const failed = (cause: NodeJS.ErrnoException): void => {
    // A script without an interpreter is one for the shell, as the shell has it.
    if (cause.code === "ENOEXEC") start("/bin/sh", "sh", [file, ...args], env)
    else end({ tag: "Failed", code: cause.code, errno: cause.errno, message: cause.message })
  }
  try {
    const child = childProcess.spawn(file, args, { argv0, env, stdio: "inherit" })
    child.on("error", failed)
    child.on("spawn", () => tell({ tag: "Began" }))
    child.on("exit", (code, signal) => end({ tag: "Ended", code, signal }))
  } catch (cause) {
    failed(cause as NodeJS.ErrnoException)
  }
}

const longestTimerMillis = 3_600_000
let timer: NodeJS.Timeout | undefined

const killAt = (deadline: bigint): void => {
  clearTimeout(timer)
  const left = deadline - process.hrtime.bigint()
  if (left <= 0n) return void signalGroup(process.pid, "SIGKILL")
  timer = setTimeout(killAt, Math.min(Number(left / 1_000_000n) + 1, longestTimerMillis), deadline)
}

let begun = false

createInterface({ input: channel }).on("line", (line) => {
  const told: Until | Begin = JSON.parse(line)
  if ("killAt" in told) return killAt(BigInt(told.killAt))
  const { argv: [name, ...args], env, file } = told
  begun = true
  for (const signal of withstood) process.on(signal, () => {})
  start(file, name!, args, env)
}).on("close", () => {
  if (!begun) exit(0)
})

tell({ tag: "Ready", pid: process.pid })
