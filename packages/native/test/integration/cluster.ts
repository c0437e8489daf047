/** The cluster under test, and how its server is stopped, started, killed, paused and resumed. */
import { Deferred, Effect, Fiber } from "effect"
import { execFile } from "node:child_process"
import * as path from "node:path"
import { beforeEach, describe } from "vitest"
import * as TestServer from "../support/server.ts"

export const clusterFile = process.env["FDB_CLUSTER_FILE"]

/** The server that `announce.ts` has started for this run, where `FDB_SERVER` names its program. */
const binary = process.env["FDB_SERVER"]
const server = binary === undefined || clusterFile === undefined
  ? undefined
  : TestServer.open(binary, path.dirname(clusterFile))

/** A shell command, which has to return when it is done. */
const shell = (name: string) => {
  const command = process.env[name]
  return command === undefined ? undefined : Effect.callback<void, TestServer.ServerProblem>((resume) => {
    execFile("/bin/sh", ["-c", command], { timeout: 60_000 }, (error, _output, errors) =>
      resume(
        error === null
          ? Effect.void
          : Effect.fail(new TestServer.ServerProblem({ problem: `${name} failed: ${error.message} ${errors}` }))
      ))
  })
}

/** What can be done to the server, by the name of the variable that says how. */
export const commands = {
  FDB_TEST_STOP: server?.stop ?? shell("FDB_TEST_STOP"),
  FDB_TEST_START: server?.start ?? shell("FDB_TEST_START"),
  FDB_TEST_KILL: server?.kill ?? shell("FDB_TEST_KILL"),
  FDB_TEST_PAUSE: server?.pause ?? shell("FDB_TEST_PAUSE"),
  FDB_TEST_RESUME: server?.resume ?? shell("FDB_TEST_RESUME")
}

export type Command = keyof typeof commands

/** Whether all of these commands are known. */
export const can = (...names: ReadonlyArray<Command>): boolean => names.every((name) => commands[name] !== undefined)

/** Does it. */
export const command = (name: Command): Effect.Effect<void, TestServer.ServerProblem> =>
  commands[name] ?? Effect.die(new Error(`${name} is not set`))

/** Fails once the server cannot be brought back: no test on it can pass any more. */
const lost = Deferred.makeUnsafe<never, TestServer.ServerProblem>()

/** Does something to the server, then `during`, and undoes it in any case. */
export const between = (
  first: Effect.Effect<void, TestServer.ServerProblem>,
  second: Effect.Effect<void, TestServer.ServerProblem>,
  during: Effect.Effect<void>
): Effect.Effect<void> =>
  Effect.acquireUseRelease(
    Effect.orDie(first),
    () => during,
    () => Effect.orDie(Effect.tapError(second, (problem) => Deferred.fail(lost, problem)))
  )

/**
 * Ends with the test, or at once when the server cannot be brought back. The test is then abandoned and not interrupted, for each
 * operation on a cluster that has died takes until its timeout.
 */
export const unlessLost = <A, E, R>(test: Effect.Effect<A, E, R>): Effect.Effect<A, E | TestServer.ServerProblem, R> =>
  Effect.flatMap(
    Effect.forkDetach(test),
    (fiber) => Effect.raceFirst(Fiber.join(fiber), Deferred.await(lost))
  )

/** Tests that need the cluster. Once it is lost, the rest of a file is skipped. */
export const onCluster = (name: string, tests: () => void): void => {
  const title = clusterFile === undefined ? `${name} (skipped: FDB_CLUSTER_FILE is not set)` : name
  describe.skipIf(clusterFile === undefined)(title, () => {
    beforeEach(({ skip }) => skip(Deferred.isDoneUnsafe(lost), "the server could not be started again"))
    tests()
  })
}
