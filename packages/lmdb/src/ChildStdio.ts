/**
 * What a child process inherits while a store is open.
 *
 * LMDB opens its data file without close-on-exec, and JavaScript cannot set that afterwards. So on Linux each process that is
 * started with the `stdio` of Node alone can read and write the database through an inherited descriptor, whatever user it
 * has become since. (On macOS, Node itself hands on only what is given.)
 */
import type { StdioOptions } from "node:child_process"
import * as fs from "node:fs"

const closeOnExec = 0o2000000

/**
 * The descriptors above 2 that a child of this process would inherit without being given them: those that were opened without
 * close-on-exec, by LMDB or by whatever started this process. Only on Linux; none elsewhere.
 */
export const inheritable = (): Array<number> => {
  if (process.platform !== "linux") return []
  return fs.readdirSync("/proc/self/fd").map(Number).filter((descriptor) => descriptor > 2 && isInherited(descriptor))
}

const isInherited = (descriptor: number): boolean => {
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(fs.readFileSync(`/proc/self/fdinfo/${descriptor}`, "latin1"))
    return flags !== null && (Number.parseInt(flags[1]!, 8) & closeOnExec) === 0
  } catch {
    // It was that of the listing itself, and is closed.
    return false
  }
}

let device: number | undefined

/**
 * The same `stdio`, with which the child gets what is given and nothing else: each other descriptor that it would inherit is
 * the null device in it.
 *
 * For the `stdio` of `spawn`, `spawnSync`, `execFileSync` and `fork` of `node:child_process`; to be called anew for each
 * child, when the stores are open. (`exec` and `execFile` take no `stdio`.)
 *
 * @param stdio as `spawn` takes it; `"pipe"` unless given
 */
export const only = (stdio: StdioOptions = "pipe"): StdioOptions => {
  const given = Array.isArray(stdio) ? [...stdio] : [stdio, stdio, stdio]
  for (const descriptor of inheritable()) {
    while (given.length < descriptor) given.push(given.length < 3 ? "pipe" : "ignore")
    const own = given[descriptor]
    if (own === undefined || own === null || own === "ignore") {
      given[descriptor] = device ??= fs.openSync("/dev/null", "r+")
    }
  }
  return given
}
