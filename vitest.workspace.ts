import { availableParallelism } from "node:os"
import { defineConfig } from "vitest/config"

/** One project a package; each finds its tests beside its sources. */
const projects = [
  ...[
    "core",
    "native",
    "witness",
    "lmdb",
    "database-config",
    "leader-election",
    "http",
    "simulation",
    "cli",
    "benchmarks"
  ].map((
    name
  ) => `packages/${name}`),
  "examples"
]

/** These keep something for as long as their process lives; the others' files can share one, and what it has loaded. */
const engines = ["packages/native", "packages/lmdb", "packages/database-config"]

// vitest 5 reports failures with `Map.groupBy`, which Node has from version 21 on.
Map.groupBy ??= function<K, T>(items: Iterable<T>, keyOf: (item: T, index: number) => K): Map<K, Array<T>> {
  const groups = new Map<K, Array<T>>()
  let index = 0
  for (const item of items) {
    const key = keyOf(item, index++)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [item])
    else group.push(item)
  }
  return groups
}

export default defineConfig({
  ssr: { resolve: { conditions: ["@effect-fdb/source", "node", "import", "default"] } },
  test: {
    // The FoundationDB binding must not be loaded in worker threads.
    pool: "forks",
    include: ["test/**/*.test.ts"],
    passWithNoTests: true,
    // Tests of processes wait more than they work: one more than the cores of a small machine.
    maxWorkers: Math.max(3, availableParallelism() - 1),
    globalSetup: "./vitest.build.ts",
    // No test rests on speed: these only end one that has failed.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    projects: projects.map((root) => ({
      test: { name: root.replace("packages/", ""), root, isolate: engines.includes(root) }
    }))
  }
})
