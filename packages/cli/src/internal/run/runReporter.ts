/** The progress messages of `fdb-election run` on standard error. */
import type { ElectionCause, ElectionEvent, LossReason } from "@effect-fdb/leader-election"
import * as Duration from "effect/Duration"
import * as Durations from "../durations.ts"

/** Why a leadership was lost, as the end of a sentence after a colon. */
export const reasons: { readonly [reason in LossReason]: string } = {
  resigned: "it has resigned",
  expired: "the lease could not be renewed in time",
  "clock-jumped": "the host was suspended, or its clock was set",
  replaced: "another leads already",
  preempted: "a candidate of higher priority has asked it to step down",
  "stepped-down": "an operator has asked it to step down",
  superseded: "another process takes part under the same id",
  evicted: "its registration was removed",
  disabled: "the election was disabled",
  broken: "the election's records, or its store, are gone, replaced or damaged"
}

const causes: { readonly [cause in ElectionCause]: string } = {
  vacant: "it was vacant",
  appointed: "the last leader has appointed it",
  lapsed: "the last leader's lease had lapsed",
  died: "the last leader's process has ended",
  own: "it has led the last term, too"
}

/** A failure is reported again after this time. */
const forgetAfterNanos = 30_000_000_000n

/** Events that show that the store answers. */
const answers: ReadonlySet<ElectionEvent["_tag"]> = new Set(["Registered", "Following", "Elected", "Renewed"])

/** Returns a function to call with each event, in order. `titleOf` gives the name of the election of an event. */
export const make = (titleOf: (election: string) => string, say: (line: string) => void, now: () => bigint) => {
  let failedAt: bigint | undefined
  const failure = (error: { readonly message: string }) => {
    const since = failedAt
    failedAt = now()
    return since === undefined || failedAt - since > forgetAfterNanos
      ? `the store does not answer correctly; trying again: ${error.message}`
      : undefined
  }
  const message = (event: ElectionEvent): string | undefined => {
    const election = titleOf(event.election)
    switch (event._tag) {
      case "Registered":
        return event.again
          ? "was evicted as dead, and takes part again"
          : `takes part in ${election} as "${event.candidate}"`
      case "Following":
        if (!event.enabled) return `waits: ${election} is disabled; \`fdb-election enable\` enables it`
        return event.leader === undefined
          ? `waits: nobody leads ${election}`
          : `waits: "${event.leader}" leads ${election} in term ${event.term}`
      case "Challenged":
        return `has the higher priority, and asks the leader of term ${event.term} of ${election} to step down`
      case "Elected":
        return `leads ${election} in term ${event.term}: ${causes[event.cause]}` +
          (Duration.toMillis(event.leaderless) >= 1 ? `, nobody led for ${Durations.format(event.leaderless)}` : "")
      case "RenewalFailed":
        return event.path === "full" ? failure(event.error) : undefined
      case "Retried":
        return failure(event.error)
      case "Lost":
        if (event.reason === "resigned") return undefined
        return `ends the command, because it has lost the leadership of term ${event.term} of ${election}: ${
          reasons[event.reason]
        }`
      case "Overrun":
        return `the command goes on although the lease of term ${event.term} of ${election} has lapsed: another may lead; each ` +
          "receiver must refuse this term"
      case "Resigned":
        return `has resigned from term ${event.term} of ${election}`
      default:
        return undefined
    }
  }
  return (event: ElectionEvent): void => {
    if (failedAt !== undefined && answers.has(event._tag)) {
      failedAt = undefined
      say("the store answers again")
    }
    const line = message(event)
    if (line !== undefined) say(line)
  }
}
