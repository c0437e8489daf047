/**
 * The launcher: a small process that leads the process group of a command, and starts the command at the wrapper's order. It is a
 * plain program without Effect, because it must start fast.
 *
 * - The group exists before the command, and its number is the launcher's pid. So the wrapper can check the group and have it guarded
 *   before the command begins, and no other group gets this number while the launcher lives.
 * - The command inherits only the descriptors 0, 1 and 2. Its command line and environment come over descriptor 3, so no shell and no
 *   list of processes shows them.
 * - At the last deadline it kills its group and itself, even if the wrapper and the watchdog process are dead.
 *
 * It ends after the command, once its input has ended, or when that ends before the command has begun. Before the command begins, any
 * signal ends the launcher; afterwards only SIGKILL does. A signal that stops the group stops the launcher too, so that a shell notices.
 */
import * as ChildStdio from "@effect-fdb/lmdb/ChildStdio"
import * as childProcess from "node:child_process"
import * as fs from "node:fs"
import * as net from "node:net"
import * as os from "node:os"
import { exit } from "../standardStreams.ts"
import { readLines } from "./lines.ts"
import { signalGroup } from "./processGroup.ts"

/** A message to the launcher: no process may run after this instant of the host's monotonic clock, in nanoseconds. */
export interface Until {
  readonly killAt: string
}

export interface Begin {
  readonly file: string
  /** The name of the command, as it was given, and its arguments. */
  readonly argv: ReadonlyArray<string>
  readonly env: NodeJS.ProcessEnv
}

/** A message from the launcher. */
export type Report =
  | { readonly tag: "Ready"; readonly pid: number }
  | { readonly tag: "Began" }
  | ({ readonly tag: "Failed"; readonly message: string } & Pick<NodeJS.ErrnoException, "code" | "errno">)
  | { readonly tag: "Ended"; readonly code: number | null; readonly signal: NodeJS.Signals | null }

const descriptor = 3

/** The signals that end a process and can be ignored, without SIGPROF (V8 uses it) and those of faults. */
const ignored = (Object.keys(os.constants.signals) as Array<NodeJS.Signals>).filter((signal) =>
  !/^SIG(KILL|STOP|TSTP|TTIN|TTOU|CONT|CHLD|URG|WINCH|PROF|ILL|TRAP|ABRT|IOT|BUS|FPE|SEGV|SYS)$/.test(signal)
)

for (const inherited of ChildStdio.inheritable()) if (inherited !== descriptor) fs.closeSync(inherited)

const channel = new net.Socket({ fd: descriptor, allowHalfOpen: true })
channel.on("error", () => {})

const report = (message: Report): void => void channel.write(`${JSON.stringify(message)}\n`)

/** Whether the command has begun, and its end has not been reported. */
let isBusy = false
let isInputOver = false

/**
 * Reports a last message, and ends when the wrapper has read it and closes its side. If the launcher ended before, the wrapper's next
 * message would fail, and with it whatever it has not read.
 */
const end = (message: Report): void => {
  report(message)
  isBusy = false
  if (isInputOver) exit(0)
}

const start = (file: string, argv0: string, args: ReadonlyArray<string>, env: NodeJS.ProcessEnv): void => {
  const failed = (cause: NodeJS.ErrnoException): void => {
    // A shell runs a script without an interpreter itself.
    if (cause.code === "ENOEXEC") start("/bin/sh", "sh", [file, ...args], env)
    else end({ tag: "Failed", code: cause.code, errno: cause.errno, message: cause.message })
  }
  try {
    const child = childProcess.spawn(file, args, { argv0, env, stdio: "inherit" })
    child.on("error", failed)
    child.on("spawn", () => report({ tag: "Began" }))
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

readLines(channel, (line) => {
  const message: Until | Begin = JSON.parse(line)
  if ("killAt" in message) return killAt(BigInt(message.killAt))
  const { argv: [name, ...args], env, file } = message
  isBusy = true
  for (const signal of ignored) process.on(signal, () => {})
  start(file, name!, args, env)
}, () => {
  isInputOver = true
  if (!isBusy) exit(0)
})

report({ tag: "Ready", pid: process.pid })
