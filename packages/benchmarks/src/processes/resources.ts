/** What other processes use, from Linux's `/proc`. `NaN` on other systems. */
import * as fs from "node:fs"

const isLinux = process.platform === "linux"
const pageBytes = 4096

const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((all, one) => all + one, 0)

/** The CPU time of all threads so far, to the nanosecond, in milliseconds. Reading it costs the processes nothing. */
export const readCpuMillis = (pids: ReadonlyArray<number>): number =>
  isLinux
    ? sum(pids.flatMap((pid) =>
      fs.readdirSync(`/proc/${pid}/task`).map((thread) => {
        const [running = "0"] = fs.readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")
        return Number(running) / 1e6
      })
    ))
    : Number.NaN

/** The resident memory, in megabytes. */
export const readResidentMegabytes = (pids: ReadonlyArray<number>): number =>
  isLinux
    ? sum(pids.map((pid) => {
      const [, resident = "0"] = fs.readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")
      return Number(resident) * pageBytes / 1e6
    }))
    : Number.NaN
