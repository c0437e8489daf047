/** `candidates` and `evict`. */
import { read, toJson } from "@effect-fdb/http/ElectionStatus"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as ElectionStatus from "../electionStatus.ts"
import { transact } from "../selectedElection.ts"
import { electionCommand, json, printJson, printLines } from "./root.ts"

export const candidates = electionCommand(
  "candidates",
  {
    short: "Lists the live candidates",
    long: "Lists the candidates whose last heartbeat is not older than the candidate timeout. The leader has a star."
  },
  { json },
  Effect.fnUntraced(function*(selected, { json }) {
    const status = yield* read(selected)
    if (json) return yield* printJson(toJson(selected, status).candidates)
    if (status.candidates.length > 0) return yield* printLines(ElectionStatus.candidateLines(status))
    yield* Console.log(`no candidate of ${selected.name.text} is alive`)
  })
)

export const evict = electionCommand(
  "evict",
  {
    short: "Removes the records of dead candidates",
    long:
      "Removes the records of candidates whose last heartbeat is older than the candidate timeout. The leader of a " +
      "tenure is never removed, dead or not, before another has taken over. A live candidate that was removed registers " +
      "again by itself."
  },
  {},
  Effect.fnUntraced(function*({ election, name }) {
    const evicted = yield* transact(election.evictDeadCandidates)
    yield* Console.log(
      evicted === 0
        ? `no candidate of ${name.text} was removed: none is dead, except perhaps the leader, which is never removed`
        : `${evicted} dead candidate${evicted === 1 ? "" : "s"} of ${name.text} removed`
    )
  })
)
