/** The cluster under test, and how its server is stopped, started, killed, paused and resumed. */
import { Effect } from "effect"
import { execFile } from "node:child_process"
import { describe } from "vitest"

export const clusterFile = process.env["FDB_CLUSTER_FILE"]

/** Shell commands, each of which has to return when it is done. */
export const commands = {
  FDB_TEST_STOP: process.env["FDB_TEST_STOP"],
  FDB_TEST_START: process.env["FDB_TEST_START"],
  FDB_TEST_KILL: process.env["FDB_TEST_KILL"],
  FDB_TEST_PAUSE: process.env["FDB_TEST_PAUSE"],
  FDB_TEST_RESUME: process.env["FDB_TEST_RESUME"]
}

export type Command = keyof typeof commands

/** Whether all of these commands are known. */
export const can = (...names: ReadonlyArray<Command>): boolean => names.every((name) => commands[name] !== undefined)

/** Runs a command. */
export const exec = (name: Command): Effect.Effect<void> =>
  Effect.callback((resume) => {
    execFile("/bin/sh", ["-c", commands[name]!], { timeout: 60_000 }, (error, _output, errors) =>
      resume(error === null ? Effect.void : Effect.die(new Error(`${name} failed: ${error.message} ${errors}`))))
  })

/** One command, time, and the other, which is run in any case. */
export const between = (first: Command, second: Command, during: Effect.Effect<void>): Effect.Effect<void> =>
  Effect.acquireUseRelease(exec(first), () => during, () => exec(second))

/** Tests that need the cluster. */
export const onCluster = (name: string, tests: () => void): void => {
  const title = clusterFile === undefined ? `${name} (skipped: FDB_CLUSTER_FILE is not set)` : name
  describe.skipIf(clusterFile === undefined)(title, tests)
}
