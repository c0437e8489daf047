/** Starts a server of the tests' own where `FDB_SERVER` names one, and says what is about to be run, and what is not. */
import { Effect } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import * as TestServer from "../support/server.ts"

const startServer = async (binary: string): Promise<() => Promise<void>> => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "effect-fdb-server-"))
  const server = await Effect.runPromise(TestServer.create(binary, directory))
  const remove = async () => {
    await Effect.runPromise(Effect.ignore(server.kill))
    fs.rmSync(directory, { recursive: true, force: true })
  }
  try {
    await Effect.runPromise(Effect.andThen(server.start, server.configure))
  } catch (error) {
    await remove()
    throw error
  }
  process.env["FDB_CLUSTER_FILE"] = server.clusterFile
  return remove
}

export default async (): Promise<(() => Promise<void>) | undefined> => {
  const named = process.env["FDB_SERVER"]
  const binary = named === undefined ? undefined : process.env["FDB_SERVER"] = path.resolve(named)
  const remove = binary === undefined ? undefined : await startServer(binary)
  const { clusterFile, commands } = await import("./cluster.ts")
  if (clusterFile === undefined) {
    console.log(
      "\nSKIPPED: neither FDB_SERVER nor FDB_CLUSTER_FILE is set, so nothing is tested against a FoundationDB cluster.\n"
    )
    return
  }
  console.log(`\nTesting against ${binary === undefined ? "the cluster of" : `${binary}, with`} ${clusterFile}.`)
  const missing = Object.entries(commands).filter(([, command]) => command === undefined).map(([name]) => name)
  if (missing.length > 0) {
    console.log(`Faults that need ${missing.join(", ")} are SKIPPED: see production-foundationdb.md.`)
  }
  console.log()
  return remove
}
