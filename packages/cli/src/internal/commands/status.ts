/** `status` and `watch`. */
import { handled } from "../handled.ts"
import { electionCommand, json } from "./root.ts"

export const status = electionCommand(
  "status",
  {
    short: "Shows the leader, its lease and the candidates",
    long:
      "Shows the leader, the term (the fencing token, which grows with every tenure), the ballot (which grows with " +
      "every renewal), the rest of the lease, the live candidates, the configuration, and a challenge if there is one. " +
      "If the election has slots, it shows their holders, and who waits for one; if it has shards, their members with " +
      "their weights, which shards each one leads in which term, and which shards are not led by their owners. It tells how many other processes of this host witness the leader's (see `fdb-election witness`). The rest of the lease depends on the clocks of two hosts; takeovers do not. For an LMDB store, it also lists " +
      "stopped or blocked processes whose reads make its file grow.",
    examples: [
      { command: "fdb-election status -e app/scheduler", description: "As a table" },
      { command: "fdb-election status --json | jq -r .leader.id", description: "The id of the leader, or null" }
    ]
  },
  { json },
  (selected, { json }) => handled(({ status }) => status(selected, json)),
  false,
  true
)

export const watch = electionCommand(
  "watch",
  {
    short: "Shows an election continuously",
    long:
      "Redraws the status on a terminal every second and with every change. Elsewhere, prints one JSON object per " +
      "line: the first at once, then one for each change of leader, candidates, challenge, configuration, slots or shards, and " +
      "when a lease lapses.",
    examples: [{ command: "fdb-election watch | jq --unbuffered -r .leader.id", description: "The leaders" }]
  },
  {},
  (selected) => handled(({ watch }) => watch(selected))
)
