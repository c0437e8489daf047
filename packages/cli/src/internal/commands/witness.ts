/** `witness`. */
import { Command, Flag } from "effect/cli"
import { handled } from "../handled.ts"
import * as Place from "../place.ts"
import { switchFlag } from "./root.ts"

const flags = {
  directory: Place.flag("directory", "directory").pipe(
    Flag.withAlias("d"),
    Flag.withMetavar("DIR"),
    Flag.withDescription(
      "The directory of the witnesses of this host; that of --witness or of the LMDB store by default"
    ),
    Flag.optional
  ),
  exitAfterParent: switchFlag(
    "exit-after-parent",
    "Ends some seconds after its parent process is gone; applications use it that start a witness of their own"
  )
}

export type Options = Command.Command.Config.Infer<typeof flags>

export const witness = Command.make("witness", flags, (options) => handled(({ witness }) => witness(options))).pipe(
  Command.withShortDescription("Ends the tenures of processes of this host that have died"),
  Command.withDescription(
    "Stays connected with the processes of this host that witness each other's end (see FDB_ELECTION_WITNESS and --witness), and " +
      "ends the tenure of each that has died, in the store, so that nobody waits for its lease. It does nothing else, and leads " +
      "nothing. It is for the host of an only candidate, and for a container beside that of a candidate: where other candidates " +
      "of the host live, they take over by themselves. A process that is stopped or does not answer has not died."
  ),
  Command.withExamples([
    {
      command: "fdb-election witness --directory /run/app/witness --engine fdb",
      description: "As a service of the host"
    },
    { command: "fdb-election witness", description: "Beside the processes of the default LMDB store" }
  ])
)
