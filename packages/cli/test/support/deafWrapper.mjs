// Starts a program of the wrapper as the wrapper does, sends it lines, tells its pid, and reads nothing of what it says. Only for tests.
import { spawn } from "node:child_process"
import { writeSync } from "node:fs"

const [program, descriptor, ...lines] = process.argv.slice(2)
const { pid, stdio } = spawn(process.execPath, [program], {
  detached: true,
  stdio: descriptor === "3" ? ["ignore", "ignore", "inherit", "pipe"] : ["pipe", "pipe", "inherit"]
})
for (const line of lines) stdio[Number(descriptor)].write(`${line}\n`)
writeSync(1, `${pid}\n`)
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
