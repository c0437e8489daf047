// Holds the write lock of an LMDB store until it is killed: to all others, the store is away. Only for tests.
import { writeSync } from "node:fs"
import { createRequire } from "node:module"

// Only the LMDB engine's own package knows LMDB.
const require = createRequire(createRequire(import.meta.url).resolve("@effect-fdb/lmdb"))
const { open } = require("lmdb")

const environment = open({ path: process.argv[2], noSubdir: false, encoding: "binary", keyEncoding: "binary" })
environment.transactionSync(() => {
  writeSync(1, "held\n")
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
})
