/** `history`. */
import { Flag } from "effect/cli"
import { handled } from "../handled.ts"
import { electionCommand, json } from "./root.ts"

const limit = Flag.Int("limit").pipe(
  Flag.withAlias("n"),
  Flag.withMetavar("N"),
  Flag.withDescription("The number of tenures to show; 20 by default; 100 are stored"),
  Flag.filter((n) => n >= 1 && n <= 100, (n) => `${n} tenures cannot be shown: give a number from 1 to 100`),
  Flag.withDefault(20)
)

export const history = electionCommand(
  "history",
  {
    short: "Lists the last tenures: leader, begin, end and reason",
    long:
      "Lists the tenures, newest first. Each ended as resigned, expired (the lease lapsed and another took over), died (its process was witnessed to have ended), " +
      "preempted (by a candidate of higher priority) or stepped-down (an operator asked)."
  },
  { json, limit },
  (selected, flags) => handled(({ history }) => history(selected, flags))
)
