/** Whether a descriptor is a terminal. Node's own answer loads all of Node's streams, so only a character device is asked of. */
import * as fs from "node:fs"
import { createRequire } from "node:module"
import type * as Tty from "node:tty"

const require = createRequire(import.meta.url)

const isCharacterDevice = (descriptor: number): boolean => {
  try {
    return fs.fstatSync(descriptor).isCharacterDevice()
  } catch {
    return false
  }
}

export const isTerminal = (descriptor: number): boolean =>
  isCharacterDevice(descriptor) && (require("node:tty") as typeof Tty).isatty(descriptor)
