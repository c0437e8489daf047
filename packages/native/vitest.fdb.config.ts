/** `npm run test:fdb`: what needs a FoundationDB cluster, that of the environment variable FDB_CLUSTER_FILE. */
import { defineConfig } from "vitest/config"
import workspace from "../../vitest.workspace.ts"

export default defineConfig({
  root: import.meta.dirname,
  ssr: workspace.ssr ?? {},
  test: {
    name: "fdb",
    pool: "forks",
    include: ["test/integration/**/*.integration.ts"],
    globalSetup: "test/integration/announce.ts",
    // One after another: some of them stop the server.
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000
  }
})
