/** `raise-terms`, `export` and `import`: terms that survive a restore, a move, and a loss. */
import { Argument } from "effect/cli"
import { handled } from "../handled.ts"
import * as Place from "../place.ts"
import { electionCommand } from "./root.ts"

export const raiseTerms = electionCommand(
  "raise-terms",
  {
    short: "Lets every later term be greater than a number",
    long:
      "Lets every later term be greater than N, for receivers that remember greater terms than this store: after a restore from a " +
      "backup, a move, or a loss. Also in all slots and shards of the election. Terms never go down: if they are greater " +
      "already, nothing changes. A leader in office keeps its tenure and its term; `fdb-election step-down` ends it.",
    examples: [
      {
        command: "fdb-election raise-terms 5000 -e app/scheduler",
        description: "The next leader has term 5001 at least"
      },
      {
        command: "fdb-election raise-terms \"$(date +%s)000\"",
        description: "Above all earlier terms, if nobody knows how great they were"
      }
    ]
  },
  { above: Argument.String("N").pipe(Argument.withDescription("A whole number from 0 to 2^62")) },
  (selected, { above }) => handled(({ raiseTerms }) => raiseTerms(selected, above))
)

export const exportElection = electionCommand(
  "export",
  {
    short: "Prints what is to survive a move to another store",
    long:
      "Prints the configuration, the greatest ballot and the history as JSON, also of all slots and shards of the election, for " +
      "`fdb-election import`. Candidates and leaders are not part of it. Stop all that take part first: terms that are given " +
      "later are not in it.",
    examples: [{ command: "fdb-election export -e app/scheduler >scheduler.json", description: "Before a move" }]
  },
  {},
  (selected) => handled(({ exportElection }) => exportElection(selected))
)

export const importElection = electionCommand(
  "import",
  {
    short: "Creates an election from an export, and raises its terms above it",
    long:
      "Creates the election, with its slots and shards, by what `fdb-election export` has printed, and lets every later term be " +
      "greater than those of the export. If an election exists, its configuration and history stay, and its terms never go down.",
    examples: [
      {
        command: "fdb-election import scheduler.json -e app/scheduler --engine fdb",
        description: "From LMDB to FoundationDB"
      }
    ]
  },
  { file: Place.argument("file", "file").pipe(Argument.withDescription("The export; - for standard input")) },
  (selected, { file }) => handled(({ importElection }) => importElection(selected, file)),
  true
)
