/**
 * What this process has mapped into its memory, as LMDB does with the files that it has open, whichever copy of it.
 */
import * as fs from "node:fs"
import { identify } from "./storeFiles.ts"

/** Of a line: the inode, and the path behind it. */
const mapping = /^\S+ \S+ \S+ \S+ (\d+) +(\/.*)$/

const readMappings = (): string => {
  try {
    return fs.readFileSync("/proc/self/maps", "utf8")
  } catch {
    // Only Linux tells.
    return ""
  }
}

/** The first of some files that is mapped already; `undefined` where the operating system does not tell. */
export const findMapped = (files: ReadonlyArray<string>): string | undefined => {
  const lines = readMappings().split("\n")
  return files.find((file) => {
    const identity = identify(file)
    if (identity === undefined) return false
    const inode = identity.slice(identity.indexOf(":") + 1)
    return lines.some((line) => {
      const [, found, mapped] = mapping.exec(line) ?? []
      return found === inode && mapped !== undefined && identify(mapped) === identity
    })
  })
}
