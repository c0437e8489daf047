/** The directory in which the processes of a host find each other's sockets. Who can enter it can tell what they like. */
import { randomBytes } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { isMainThread } from "node:worker_threads"
import { WitnessUnavailable, type WitnessUnavailableReason } from "../WitnessError.ts"

/** The kernels that are known to close the sockets of a process after all of its threads have ended, and not before. */
const platforms: ReadonlyArray<NodeJS.Platform> = ["linux", "darwin"]

/** The longest path of a socket that every platform takes, in bytes. Longer ones would be cut off. */
const maxPathLength = 103

const nameBytes = 8

/** A name that no other process has or has had. */
export const makeName = (): string => randomBytes(nameBytes).toString("hex")

export const isName = (name: string): boolean => /^[0-9a-f]{16}$/.test(name)

const codes: { readonly [code: string]: WitnessUnavailableReason } = {
  ENOENT: "missing-parent",
  ENOTDIR: "not-a-directory",
  EACCES: "foreign-owner"
}

export const toUnavailable = (directory: string) => (cause: unknown): WitnessUnavailable => {
  if (cause instanceof WitnessUnavailable) return cause
  const { code, message } = cause as NodeJS.ErrnoException
  return new WitnessUnavailable({ directory, reason: codes[code ?? ""] ?? "other", detail: message })
}

const makeDirectory = (directory: string): void => {
  try {
    fs.mkdirSync(directory, 0o700)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") return
    throw cause
  }
  // Whatever the umask.
  fs.chmodSync(directory, 0o700)
}

/** The path without symbolic links. Its last part need not exist. */
const resolve = (directory: string): string =>
  fs.existsSync(directory)
    ? fs.realpathSync(directory)
    : path.join(fs.realpathSync(path.dirname(directory)), path.basename(directory))

/** Creates the directory if its parent exists, checks that nobody else can enter it, and returns its path without symbolic links. May throw. */
export const prepare = (directory: string): string => {
  const refuse = (reason: WitnessUnavailableReason, detail: string): never => {
    throw new WitnessUnavailable({ directory, reason, detail })
  }
  if (!isMainThread) refuse("worker-thread", "this is a worker thread")
  if (!platforms.includes(process.platform)) refuse("unsupported-platform", `the platform is ${process.platform}`)
  const real = resolve(directory)
  const length = Buffer.byteLength(path.join(real, makeName()))
  if (length > maxPathLength) {
    refuse("path-too-long", `the paths of its sockets would have ${length} bytes, and may have ${maxPathLength}`)
  }
  makeDirectory(real)
  const stat = fs.statSync(real)
  const [user, owner] = [process.geteuid!(), stat.uid]
  if (!stat.isDirectory()) refuse("not-a-directory", "the path names something else")
  if (owner !== user && owner !== 0) {
    refuse("foreign-owner", `it belongs to the user ${owner}, and this process to ${user}`)
  }
  const mode = stat.mode & 0o777
  if (mode !== 0o700) refuse("open-to-others", `its mode is 0${mode.toString(8)}, and has to be 0700`)
  fs.accessSync(real, fs.constants.R_OK | fs.constants.W_OK | fs.constants.X_OK)
  return real
}
