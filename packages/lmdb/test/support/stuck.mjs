/**
 * A process that is stuck at the gate of a database, as one is that was stopped there: `node stuck.mjs DIRECTORY WHERE`.
 *
 * WHERE is `commit` or `opening`. It says "stuck", and stays so until it is killed.
 */
import { open } from "lmdb"
import * as path from "node:path"

const [directory, where] = process.argv.slice(2)
const gate = open({
  path: path.join(directory, "gate", where === "commit" ? "committers.mdb" : "openers.mdb"),
  noSubdir: true,
  encoding: "binary",
  keyEncoding: "binary",
  maxReaders: 2048
})
gate.get(Uint8Array.of(0), { transaction: gate.useReadTransaction() })
process.send("stuck")
process.on("disconnect", () => process.exit(1))
