/**
 * A process that has LMDB's write lock, as one that was stopped in its commit: `node holding.mjs DIRECTORY`. It says "holding",
 * and has it until it is killed.
 */
import { open } from "lmdb"

const [directory] = process.argv.slice(2)
const root = open({
  path: directory,
  noSubdir: false,
  encoding: "binary",
  keyEncoding: "binary",
  overlappingSync: false,
  maxReaders: 2048
})
root.transactionSync(() => {
  process.send("holding")
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
})
