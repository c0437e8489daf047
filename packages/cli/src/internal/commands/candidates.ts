/** `candidates` and `evict`. */
import { handled } from "../handled.ts"
import { electionCommand, json } from "./root.ts"

export const candidates = electionCommand(
  "candidates",
  {
    short: "Lists the live candidates",
    long: "Lists the candidates whose last heartbeat is not older than the candidate timeout. The leader has a star."
  },
  { json },
  (selected, { json }) => handled(({ candidates }) => candidates(selected, json))
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
  (selected) => handled(({ evict }) => evict(selected))
)
