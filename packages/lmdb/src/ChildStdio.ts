/**
 * What a child process inherits while a store is open.
 *
 * LMDB opens its data file without close-on-exec, and JavaScript cannot set that afterwards. So on Linux a child can read and
 * write the database through an inherited descriptor, whatever user it has become since. (On macOS, Node itself hands on only
 * what is given.)
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
const nullDevice = (): number => device ??= fs.openSync("/dev/null", "r+")

/** How a form of `stdio` says that a place gets nothing, and that it gets a descriptor. */
interface Form {
  readonly nothing: (place: number) => unknown
  readonly descriptor: (descriptor: number) => unknown
}

const asGiven: Form = { nothing: (place) => place < 3 ? "pipe" : "ignore", descriptor: (descriptor) => descriptor }

/** What Node makes of it for the synchronous functions. */
const asParsed: Form = { nothing: () => ({ type: "ignore" }), descriptor: (fd) => ({ type: "fd", fd }) }

const isNothing = (entry: unknown): boolean =>
  entry === undefined || entry === null || entry === "ignore" || (entry as { type?: unknown }).type === "ignore"

/** Puts the null device in the place of each of these that `stdio` does not give. */
const without = <S>(descriptors: ReadonlyArray<number>, stdio: S, form: Form): S | Array<unknown> => {
  if (descriptors.length === 0) return stdio
  const given: Array<unknown> = Array.isArray(stdio) ? [...stdio] : [stdio, stdio, stdio]
  for (const descriptor of descriptors) {
    while (given.length < descriptor) given.push(form.nothing(given.length))
    if (isNothing(given[descriptor])) given[descriptor] = form.descriptor(nullDevice())
  }
  return given
}

/**
 * The same `stdio`, with which the child gets what is given and nothing else: each other descriptor that it would inherit is
 * the null device in it.
 *
 * For the `stdio` of all functions of `node:child_process`; to be called anew for each child, when the stores are open. It is for
 * what {@link withholdStores} does not reach, and for descriptors that are not those of stores.
 *
 * @param stdio as `spawn` takes it; `"pipe"` unless given
 */
export const only = (stdio: StdioOptions = "pipe"): StdioOptions =>
  without(inheritable(), stdio, asGiven) as StdioOptions

/** What starts a child. The synchronous one tells what has come of its `stdio`. */
interface Spawning {
  spawn(options: { readonly stdio?: unknown }): { readonly output?: ReadonlyArray<unknown> | null } | number | undefined
}

const withholdFrom = (spawning: Spawning, form: Form): void => {
  const { spawn } = spawning
  spawning.spawn = function(options) {
    const { stdio = "pipe" } = options
    const result = spawn.call(this, { ...options, stdio: without(inheritable().filter(isStore), stdio, form) })
    if (typeof result !== "object" || !result.output || !Array.isArray(stdio)) return result
    // Who has started it is told of what it has given.
    return { ...result, output: result.output.slice(0, stdio.length) }
  }
}

/** `undefined` where Node does not give it, as with its permission model. */
const synchronous = (): Spawning | undefined => {
  try {
    return (process as unknown as { binding(name: string): Spawning }).binding("spawn_sync")
  } catch {
    return undefined
  }
}

let withheld = false

/**
 * Keeps the files of stores from the children that Node starts, as close-on-exec would: by `spawn`, `exec`, `execFile`, `fork`,
 * `spawnSync`, `execSync`, `execFileSync`, and what builds on them, as Effect's `ChildProcess`.
 *
 * `LmdbDatabase.layer` calls it, in the main thread. Each worker thread has a `node:child_process` of its own; one that starts
 * children has to call it too.
 */
export const withholdStores = (): void => {
  if (withheld || process.platform !== "linux") return
  withheld = true
  withholdFrom(ChildProcess.prototype as unknown as Spawning, asGiven)
  const binding = synchronous()
  if (typeof binding?.spawn === "function") withholdFrom(binding, asParsed)
}
