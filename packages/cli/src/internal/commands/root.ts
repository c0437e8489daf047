/** The command without a subcommand: the flags that all share. */
import { Command, Flag } from "effect/cli"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Selected from "../selectedElection.ts"

/** All arguments as they were given, before any were taken for flags. */
export class CommandLine extends Context.Service<CommandLine, ReadonlyArray<string>>()("@effect-fdb/cli/CommandLine") {}

export const root = Command.make("fdb-election").pipe(Command.withSharedFlags({
  election: Flag.String("election").pipe(
    Flag.withAlias("e"),
    Flag.withMetavar("NAME"),
    Flag.withDescription("The election, as app/scheduler; or FDB_ELECTION_NAME; \"default\" unless set"),
    Flag.optional
  ),
  engine: Flag.Literals("engine", ["lmdb", "fdb"]).pipe(
    Flag.withMetavar("lmdb|fdb"),
    Flag.withDescription(
      "The store: LMDB for one host, FoundationDB for many; or FDB_ELECTION_ENGINE; lmdb unless set"
    ),
    Flag.optional
  ),
  path: Flag.String("path").pipe(
    Flag.withMetavar("DIR"),
    Flag.withDescription(
      "LMDB's directory; or FDB_ELECTION_PATH; ~/.local/state/fdb-election (XDG_STATE_HOME) unless set"
    ),
    Flag.optional
  ),
  access: Flag.Literals("access", ["owner", "group"]).pipe(
    Flag.withMetavar("owner|group"),
    Flag.withDescription(
      "Who may use an LMDB store that this makes: its user alone, or its group as well; or FDB_ELECTION_ACCESS; owner unless set"
    ),
    Flag.optional
  ),
  clusterFile: Flag.String("cluster-file").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription("FoundationDB's cluster file; or FDB_CLUSTER_FILE; the client's default unless set"),
    Flag.optional
  )
}))

const open = <A, E, R>(body: (target: Selected.Target) => Effect.Effect<A, E, R>, makes: boolean) =>
  Effect.gen(function*() {
    const target = yield* Selected.resolve(yield* root)
    const { exists, open } = yield* Selected.Stores
    if (!makes && !exists(target.store)) return yield* Selected.noElection(target)
    return yield* body(target).pipe(Selected.explain(target), Effect.provide(open(target.store)))
  })

/** Runs what a subcommand does on the election that is meant, with its store open. */
export const onTarget = <A, E, R>(body: (target: Selected.Target) => Effect.Effect<A, E, R>) => open(body, false)

/** As {@link onTarget}, and makes the store if there is none. */
export const onNewTarget = <A, E, R>(body: (target: Selected.Target) => Effect.Effect<A, E, R>) => open(body, true)
