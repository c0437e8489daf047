/**
 * The watchdog process: ends the command when the wrapper no longer does. It is a plain program without Effect, because it must start
 * fast.
 *
 * The wrapper sends the process group to guard, and deadlines by the host's monotonic clock. While new deadlines arrive, the watchdog
 * process does nothing. If its input ends, the wrapper has died: it sends SIGTERM at once and SIGKILL at the deadline. If no deadline
 * arrives, the wrapper is stopped or stuck: it sends SIGTERM after the leader's belief has ended, and SIGKILL at the deadline.
 *
 * When the wrapper has died and the command has ended, it ends the tenure in the store by `endTenure.ts`, so that nobody waits for
 * the lease. It loads that file then: as long as anything of the command lives, nothing but the guard has its time and memory.
 */
import * as ChildStdio from "@effect-fdb/lmdb/ChildStdio"
import * as fs from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"
import type { EndedTenure } from "./endedTenure.ts"
import type * as Ender from "./endTenure.ts"
import { readLines } from "./lines.ts"
import { endGroup, endIfGone, signalGroup, signalProcess } from "./processGroup.ts"

/** The maximum time after the end of the belief in which the wrapper may act first. */
const slackNanos = 100_000_000n
const pollMillis = 10
const longestTimerMillis = 3_600_000
/** The time that the wrapper's death may take after the end of the input: its memory is freed before, so it is short. */
const deathTimeoutNanos = 10_000_000_000n

const ender = new URL("./endTenure.js", import.meta.url)

interface Guarded {
  readonly group: number
  /** The helper shell. It must not give the terminal back after the wrapper has died. */
  readonly helper: number | undefined
  terminated: boolean
}

let guarded: Guarded | undefined
let believesUntil = 0n
let killAt = 0n
let orphaned = false
let isDone = false
let timer: NodeJS.Timeout | undefined
/** What the wrapper leads, or led last. */
let tenure: EndedTenure | undefined

/**
 * Nothing of the command runs any more. The end of the input is no proof of the wrapper's death, and comes before it: it has ended
 * with all its threads once this process has another parent.
 */
const endTenure = async (tenure: EndedTenure, until: bigint): Promise<never> => {
  try {
    const loaded: typeof Ender = await import(ender.href)
    while (process.ppid === tenure.wrapper && process.hrtime.bigint() < until) await sleep(1)
    if (process.ppid !== tenure.wrapper) await loaded.endTenure(tenure)
  } finally {
    process.exit(0)
  }
}

const release = (): void => {
  guarded = undefined
  if (!orphaned) return
  if (isDone || tenure === undefined) process.exit(0)
  void endTenure(tenure, process.hrtime.bigint() + deathTimeoutNanos)
}

const terminateAt = (): bigint => {
  const grace = killAt - believesUntil
  const slack = grace / 4n < slackNanos ? grace / 4n : slackNanos
  return believesUntil + slack
}

const check = (): void => {
  clearTimeout(timer)
  if (guarded === undefined) return
  const now = process.hrtime.bigint()
  if (orphaned && endIfGone(guarded.group)) return release()
  if (!guarded.terminated && (orphaned || now >= terminateAt())) {
    guarded.terminated = true
    endGroup(guarded.group, "SIGTERM")
  }
  if (now >= killAt) signalGroup(guarded.group, "SIGKILL")
  timer = setTimeout(check, millisUntil(now, guarded.terminated ? killAt : terminateAt()))
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
    case "leads":
      tenure = JSON.parse(line.slice("leads ".length))
      return
    case "done":
      isDone = true
      return
    case "stopping":
      if (guarded !== undefined) guarded.terminated = true
      break
    case "gone":
      return release()
  }
  check()
}

for (const inherited of ChildStdio.inheritable()) fs.closeSync(inherited)

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGTSTP"] as const) process.on(signal, () => {})
process.stdout.on("error", () => {})

readLines(process.stdin, obey, () => {
  orphaned = true
  if (guarded?.helper !== undefined) signalProcess(guarded.helper, "SIGKILL")
  if (guarded === undefined) return release()
  check()
})
