/**
 * The watchdog process: a small process that ends the command when the wrapper no longer does.
 *
 * The wrapper tells it which process group to guard and until when. The watchdog process does nothing while deadlines keep
 * coming. Then:
 *
 * - its input ends, for the wrapper has died, whatever it died of: SIGTERM at once, SIGKILL at the deadline
 * - nothing comes, for the wrapper is stopped or stuck: SIGTERM when the leader's belief has ended, SIGKILL at the deadline
 *
 * Deadlines are instants of the host's monotonic clock, which all its processes share. This is a plain program and no
 * Effect: it has to start fast, to depend on nothing, and never to wait for anything. It writes no message for the same reason.
 */
import * as ChildStdio from "@effect-fdb/lmdb/ChildStdio"
import * as fs from "node:fs"
import { createInterface } from "node:readline"
import { endGroup, endIfGone, signalGroup, signalProcess } from "./processGroup.ts"

/** How long after the end of the belief it waits for the wrapper to act first, at most. */
const slackNanos = 100_000_000n
const pollMillis = 10
const longestTimerMillis = 3_600_000

interface Guarded {
  readonly group: number
  /** A shell that would give the terminal back, and must not do so when nobody waits for it any more. */
  readonly helper: number | undefined
  terminated: boolean
}

let guarded: Guarded | undefined
let believesUntil = 0n
let killAt = 0n
let orphaned = false
let timer: NodeJS.Timeout | undefined

const release = (): void => {
  guarded = undefined
  if (orphaned) process.exit(0)
}

const terminateAt = (): bigint => {
  const grace = killAt - believesUntil
  const slack = grace / 4n < slackNanos ? grace / 4n : slackNanos
  return believesUntil + slack
}

const look = (): void => {
  clearTimeout(timer)
  if (guarded === undefined) return
  const now = process.hrtime.bigint()
  if (orphaned && endIfGone(guarded.group)) return release()
  if (!guarded.terminated && (orphaned || now >= terminateAt())) {
    guarded.terminated = true
    endGroup(guarded.group, "SIGTERM")
  }
  if (now >= killAt) signalGroup(guarded.group, "SIGKILL")
  timer = setTimeout(look, millisUntil(now, guarded.terminated ? killAt : terminateAt()))
}

const millisUntil = (now: bigint, next: bigint): number => {
  if (orphaned || now >= next) return pollMillis
  return Math.min(Math.max(Number((next - now) / 1_000_000n), 1), longestTimerMillis)
}

const obey = (line: string): void => {
  const [word, ...numbers] = line.split(" ")
  switch (word) {
    case "until":
      believesUntil = BigInt(numbers[0]!)
      killAt = BigInt(numbers[1]!)
      break
    case "guard":
      guarded = { group: Number(numbers[0]), helper: Number(numbers[1]) || undefined, terminated: false }
      process.stdout.write(`guarding ${numbers[0]}\n`)
      break
    case "stopping":
      if (guarded !== undefined) guarded.terminated = true
      break
    case "gone":
      return release()
  }
  look()
}

for (const inherited of ChildStdio.inheritable()) fs.closeSync(inherited)

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGTSTP"] as const) process.on(signal, () => {})
process.stdout.on("error", () => {})

createInterface({ input: process.stdin }).on("line", obey).on("close", () => {
  orphaned = true
  if (guarded === undefined) process.exit(0)
  if (guarded.helper !== undefined) signalProcess(guarded.helper, "SIGKILL")
  look()
})
