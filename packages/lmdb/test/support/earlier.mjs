/**
 * A process that has a database open as one of an earlier version has: `node earlier.mjs DIRECTORY`. It says what layout it has
 * found, and has it open until it is killed.
 */
import { open } from "lmdb"

const root = open({
  path: process.argv[2],
  noSubdir: false,
  encoding: "binary",
  keyEncoding: "binary",
  overlappingSync: false,
  maxReaders: 2048
})
process.on("disconnect", () => process.exit(1))
process.send(root.getBinary(Uint8Array.of(0)).toString())
