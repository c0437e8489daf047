/** `step-down`. */
import { durationFlag } from "../durations.ts"
import { handled } from "../handled.ts"
import { electionCommand } from "./root.ts"

export const stepDown = electionCommand(
  "step-down",
  {
    short: "Asks the leader to step down, and waits for that",
    long:
      "Asks the leader to step down, waits, and shows the result. Its work ends first, by its own rules; then others " +
      "lead without waiting for a lease. A leader that does not answer can no longer renew its lease. A leader that " +
      "stepped down leaves the vacancy to others for one heartbeat; without others it leads again.",
    examples: [{ command: "fdb-election step-down -e app/scheduler", description: "Before maintenance of a host" }]
  },
  { wait: durationFlag("wait", "How long to wait for the result; a lease and a heartbeat by default") },
  (selected, { wait }) => handled(({ stepDown }) => stepDown(selected, wait))
)
