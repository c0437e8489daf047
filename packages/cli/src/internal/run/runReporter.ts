/** What `fdb-election run` says on standard error: progress messages, a line for each thing that matters. */
import type { ElectionCause, ElectionEvent, LossReason } from "@effect-fdb/leader-election"
import * as Duration from "effect/Duration"
import * as Durations from "../durations.ts"

/** Why a leadership was lost, in words that go on after a colon or a "for". */
export const reasons: { readonly [reason in LossReason]: string } = {
  resigned: "it has resigned",
  expired: "the lease could not be renewed in time",
  "clock-jumped": "the host was suspended, or its clock was set",
  replaced: "another leads already",
  preempted: "a candidate of higher priority has asked for it",
  "stepped-down": "an operator has asked it to step down",
  superseded: "another process takes part under the same id",
  evicted: "its registration was removed",
  disabled: "the election was disabled",
  broken: "the election's records, or its store, are gone, replaced or damaged"
}

const causes: { readonly [cause in ElectionCause]: string } = {
  vacant: "it was vacant",
  lapsed: "the last leader's lease had lapsed",
  own: "it was its own before"
}

/** Failures that are this far apart are told again. */
const forgetAfterNanos = 30_000_000_000n

/** A function that is to be given each event, in the order of what happens. */
export const make = (options: {
  readonly election: string
  readonly say: (line: string) => void
  readonly now: () => bigint
}) => {
  const { election, now, say } = options
  let failedAt: bigint | undefined
  const recovered = () => {
    if (failedAt !== undefined) say("the store answers again")
    failedAt = undefined
  }
  const failed = (error: { readonly message: string }) => {
    const since = failedAt
    failedAt = now()
    if (since === undefined || failedAt - since > forgetAfterNanos) {
      say(`the store does not answer correctly; trying again: ${error.message}`)
    }
  }
  return (event: ElectionEvent): void => {
    switch (event._tag) {
      case "Registered":
        recovered()
        return say(
          event.again
            ? "was evicted as dead, and takes part again"
            : `takes part in ${election} as "${event.candidate}"`
        )
      case "Following":
        recovered()
        if (!event.enabled) return say(`waits: ${election} is disabled; \`fdb-election enable\` enables it`)
        return say(
          event.leader === undefined
            ? `waits: nobody leads ${election}`
            : `waits: "${event.leader}" leads ${election} in term ${event.term}`
        )
      case "Challenged":
        return say(`has the higher priority, and asks the leader of term ${event.term} to step down`)
      case "Elected":
        recovered()
        return say(
          `leads ${election} in term ${event.term}: ${causes[event.cause]}` +
            (Duration.toMillis(event.leaderless) >= 1 ? `, nobody led for ${Durations.format(event.leaderless)}` : "")
        )
      case "Renewed":
        return recovered()
      case "RenewalFailed":
        return event.path === "full" ? failed(event.error) : undefined
      case "Retried":
        return failed(event.error)
      case "Lost":
        return event.reason === "resigned" ? undefined : say(
          `ends the command, because it has lost the leadership of term ${event.term}: ${reasons[event.reason]}`
        )
      case "Overrun":
        return say(
          `the command goes on although the lease of term ${event.term} has lapsed: another may lead; each receiver must ` +
            "refuse this term"
        )
      case "Resigned":
        return say(`has resigned from term ${event.term}`)
    }
  }
}
