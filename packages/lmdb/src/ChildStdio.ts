/**
 * What a child process inherits while a store is open.
 *
 * LMDB opens its data file without close-on-exec, and JavaScript cannot set that afterwards. So on Linux each process that is
 * started with the `stdio` of Node alone can read and write the database through an inherited descriptor, whatever user it
 * has become since. (On macOS, Node itself hands on only what is given.)
 */
import { ChildProcess, type StdioOptions } from "node:child_process"
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

/** Those of LMDB: of this engine's databases, and of any other whose file has the usual name. */
const isStore = (descriptor: number): boolean => {
  try {
    return /\/(data|committers|openers)\.mdb( \(deleted\))?$/.test(fs.readlinkSync(`/proc/self/fd/${descriptor}`))
  } catch {
    return false
  }
}

let device: number | undefined

/** Puts the null device in the place of each of these that `stdio` does not give. */
const without = (descriptors: ReadonlyArray<number>, stdio: StdioOptions): StdioOptions => {
  if (descriptors.length === 0) return stdio
  const given = Array.isArray(stdio) ? [...stdio] : [stdio, stdio, stdio]
  for (const descriptor of descriptors) {
    while (given.length < descriptor) given.push(given.length < 3 ? "pipe" : "ignore")
    const own = given[descriptor]
    if (own === undefined || own === null || own === "ignore") {
      given[descriptor] = device ??= fs.openSync("/dev/null", "r+")
    }
  }
  return given
}

/**
 * The same `stdio`, with which the child gets what is given and nothing else: each other descriptor that it would inherit is
 * the null device in it.
 *
 * For the `stdio` of `spawnSync`, `execFileSync`, `spawn` and `fork` of `node:child_process`; to be called anew for each
 * child, when the stores are open.
 *
 * @param stdio as `spawn` takes it; `"pipe"` unless given
 */
export const only = (stdio: StdioOptions = "pipe"): StdioOptions => without(inheritable(), stdio)

interface Spawning {
  spawn(options: { readonly stdio?: StdioOptions }): unknown
}

let withheld = false

/**
 * Keeps the files of stores from the children that Node starts asynchronously (`spawn`, `exec`, `execFile`, `fork`, and what
 * builds on them, as Effect's `ChildProcess`), as close-on-exec would. `LmdbDatabase.layer` calls it. What `only` is for
 * remains: the synchronous functions, whose way to the system is out of reach.
 */
export const withholdStores = (): void => {
  if (withheld || process.platform !== "linux") return
  withheld = true
  const prototype = ChildProcess.prototype as unknown as Spawning
  const spawn = prototype.spawn
  prototype.spawn = function(this: unknown, options) {
    const stores = inheritable().filter(isStore)
    return spawn.call(this, { ...options, stdio: without(stores, options.stdio ?? "pipe") })
  }
}
