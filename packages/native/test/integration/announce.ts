/** Says what is about to be run, and above all what is not. */
import { clusterFile, commands } from "./cluster.ts"

export default (): void => {
  if (clusterFile === undefined) {
    console.log("\nSKIPPED: FDB_CLUSTER_FILE is not set, so nothing is tested against a FoundationDB cluster.\n")
    return
  }
  console.log(`\nTesting against the cluster of ${clusterFile}.`)
  const missing = Object.entries(commands).filter(([, command]) => command === undefined).map(([name]) => name)
  if (missing.length > 0) {
    console.log(`Faults that need ${missing.join(", ")} are SKIPPED: see production-foundationdb.md.`)
  }
  console.log()
}
