/** `candidates` and `evict`: who takes part, and the removal of those who are dead. */
import { Command } from "effect/cli"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as ElectionStatus from "../electionStatus.ts"
import { transact } from "../selectedElection.ts"
import { json, printJson, printLines, withElection } from "./root.ts"

export const candidates = Command.make(
  "candidates",
  { json },
  ({ json }) =>
    withElection((selected) =>
      Effect.flatMap(ElectionStatus.read(selected), (status) => {
        if (json) return printJson(ElectionStatus.toJson(selected, status).candidates)
        return status.candidates.length === 0
          ? Console.log(`no candidate of ${selected.name.text} is alive`)
          : printLines(ElectionStatus.candidateLines(status))
      })
    )
).pipe(
  Command.withShortDescription("Lists the live candidates"),
  Command.withDescription(
    "Lists the candidates whose last heartbeat is not older than the candidate timeout. The leader has a star."
  )
)

export const evict = Command.make("evict", {}, () =>
  withElection(({ election, name }) =>
    Effect.gen(function*() {
      const evicted = yield* transact(election.evictDeadCandidates)
      yield* Console.log(
        evicted === 0
          ? `no candidate of ${name.text} was removed: none is dead, except perhaps the leader, which is never removed`
          : `${evicted} dead candidate${evicted === 1 ? "" : "s"} of ${name.text} removed`
      )
    })
  )).pipe(
    Command.withShortDescription("Removes the records of dead candidates"),
    Command.withDescription(
      "Removes the records of candidates whose last heartbeat is older than the candidate timeout. The leader of a " +
        "tenure is never removed, dead or not, before another has taken over. A live candidate that was removed registers " +
        "again by itself."
    )
  )
