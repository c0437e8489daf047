/**
 * Keeps child processes from inheriting the files of an open database, which LMDB opens without close-on-exec: on Linux a child
 * could read and write it, even after it has changed its user. (On macOS, Node closes every descriptor that `stdio` does not list.)
 */
import { ChildProcess } from "node:child_process"
import * as fs from "node:fs"

const closeOnExec = 0o2000000

/**
 * The descriptors above 2 that a child of this process inherits although `stdio` does not list them: those that LMDB, or the parent
 * of this process, opened without close-on-exec. Empty on all platforms but Linux.
 *
 * @since 0.1.0
 * @category operations
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
    // `readdirSync` has closed the descriptor that it used for the listing.
    return false
  }
}

/** Whether a descriptor belongs to LMDB: to a database of this engine, or to another one with the usual file name. */
const isStore = (descriptor: number): boolean => {
  try {
    return /\/(data|committers|openers)\.mdb( \(deleted\))?$/.test(fs.readlinkSync(`/proc/self/fd/${descriptor}`))
  } catch {
    return false
  }
}

let device: number | undefined
const nullDevice = (): number => device ??= fs.openSync("/dev/null", "r+")

const isNothing = (entry: unknown): boolean =>
  entry === undefined || entry === null || entry === "ignore" || (entry as { type?: unknown }).type === "ignore"

/**
 * Puts the null device in the place of each given descriptor that `stdio` does not list.
 *
 * @param isParsed whether `stdio` has the form to which Node parses what a caller gives
 */
const without = <S>(descriptors: ReadonlyArray<number>, stdio: S, isParsed: boolean): S | Array<unknown> => {
  if (descriptors.length === 0) return stdio
  const given: Array<unknown> = Array.isArray(stdio) ? [...stdio] : [stdio, stdio, stdio]
  for (const descriptor of descriptors) {
    while (given.length < descriptor) given.push(isParsed ? { type: "ignore" } : given.length < 3 ? "pipe" : "ignore")
    if (isNothing(given[descriptor])) given[descriptor] = isParsed ? { type: "fd", fd: nullDevice() } : nullDevice()
  }
  return given
}

/** What is put in a place of a `stdio`, beside what stands there. */
type Filled = "pipe" | "ignore" | number

/** A `stdio` with places filled in. Types of Node's own would ask for them wherever this package is used. */
type WithFilled<S> = S extends ReadonlyArray<infer Entry> ? Array<Entry | Filled> : S | Array<S | Filled>

/**
 * Returns the same `stdio` with the null device in place of every descriptor that the child would inherit without being listed.
 *
 * Use it for the `stdio` of a function of `node:child_process` if {@link withholdStores} does not reach that function, or for
 * descriptors that are not of LMDB. Call it again for each child, after the databases are open.
 *
 * @param stdio as `spawn` takes it; `"pipe"` unless given
 * @since 0.1.0
 * @category operations
 */
export const only: {
  (): WithFilled<"pipe">
  <const S>(stdio: S): WithFilled<NonNullable<S>>
} = (stdio?: unknown) => without(inheritable(), stdio ?? "pipe", false) as never

/** An object that starts children. The synchronous one returns the output of each place of `stdio`. */
interface Spawning {
  spawn(options: { readonly stdio?: unknown }): { readonly output?: ReadonlyArray<unknown> | null } | number | undefined
}

const withholdFrom = (spawning: Spawning, isParsed: boolean): void => {
  const { spawn } = spawning
  spawning.spawn = function(options) {
    const { stdio = "pipe" } = options
    const result = spawn.call(this, { ...options, stdio: without(inheritable().filter(isStore), stdio, isParsed) })
    if (typeof result !== "object" || !result.output || !Array.isArray(stdio)) return result
    // The caller gets the outputs of the places that it has given, and no others.
    return { ...result, output: result.output.slice(0, stdio.length) }
  }
}

let withheld = false

/**
 * Keeps the files of databases from all children that Node starts, as close-on-exec would: with `spawn`, `exec`, `execFile`, `fork`,
 * `spawnSync`, `execSync`, `execFileSync`, and all that builds on them, such as Effect's `ChildProcess`.
 *
 * `LmdbDatabase.layer` calls it in the main thread. Each worker thread has its own `node:child_process`; a worker that starts
 * children must call it too.
 *
 * @since 0.1.0
 * @category operations
 */
export const withholdStores = (): void => {
  if (withheld || process.platform !== "linux") return
  withheld = true
  withholdFrom(ChildProcess.prototype as unknown as Spawning, false)
  try {
    withholdFrom((process as unknown as { binding(name: string): Spawning }).binding("spawn_sync"), true)
  } catch {
    // Node refuses access, as under its permission model.
  }
}
