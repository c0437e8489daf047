/** `/leader`, `/follower`, `/live` and `/ready`: what this process knows of its own part, without asking the store. */
import type { Candidacy, Leadership } from "@effect-fdb/leader-election"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type Answer, json } from "./answers.ts"
import type { Served } from "./served.ts"

type Slot = { readonly slot?: number }

/** Who leads, as far as this process has seen; not this one, for its belief tells. */
const seenLeader = ({ candidacy, leader }: Served) => {
  const seen = leader()
  return seen === undefined || seen.leaderId === candidacy?.id
    ? null
    : { id: seen.leaderId, term: String(seen.term) }
}

/** 200 with the fencing token if this process believes at this instant that it leads. */
export const leader = (served: Served): Effect.Effect<Answer> => {
  const { candidacy, name } = served
  const leadership: Effect.Effect<Option.Option<Leadership & Slot>> = candidacy?.leadership ?? Effect.succeedNone
  return Effect.map(leadership, (held) => {
    if (Option.isNone(held)) return json(503, { election: name, leads: false, leader: seenLeader(served) })
    const { slot, term } = held.value
    const body = {
      election: name,
      leads: true,
      id: candidacy!.id,
      term: String(term),
      ...(slot === undefined ? {} : { slot })
    }
    return json(200, body, {
      "fencing-token": String(term),
      ...(slot === undefined ? {} : { "fencing-slot": String(slot) })
    })
  })
}

/** 200 if this process takes part and does not lead: neither in its own belief, nor is work of a lost tenure being ended. */
export const follower = (served: Served): Effect.Effect<Answer> => {
  const { candidacy, name } = served
  const role = candidacy === undefined ? Effect.succeed("Observing") : Effect.map(candidacy.health, ({ role }) => role)
  return Effect.map(role, (role) =>
    json(role === "Following" ? 200 : 503, {
      election: name,
      follows: role === "Following",
      leader: role === "Leading" ? null : seenLeader(served)
    }))
}

interface Check {
  readonly ok: boolean
  readonly report: object
}

const healthJson = ({ failures, healthy, role, sinceContact, witnesses }: Candidacy.Health) => ({
  role,
  healthy,
  failures,
  sinceContactMillis: sinceContact === undefined ? null : Math.round(Duration.toMillis(sinceContact)),
  witnesses
})

/** Without a part in the election, it is well as long as the store answers. */
const observing = ({ name, status }: Served): Effect.Effect<Check> =>
  Effect.match(status, {
    onSuccess: () => ({ ok: true, report: { election: name, role: "Observing", healthy: true } }),
    onFailure: ({ isMissing, message }) => ({
      ok: isMissing,
      report: { election: name, role: "Observing", healthy: isMissing, error: message }
    })
  })

const check = (served: Served, isOk: (health: Candidacy.Health) => boolean): Effect.Effect<Check> => {
  const { candidacy, name } = served
  return candidacy === undefined
    ? observing(served)
    : Effect.map(candidacy.health, (health) => ({
      ok: isOk(health),
      report: { election: name, ...healthJson(health) }
    }))
}

const all = (served: ReadonlyArray<Served>, isOk: (health: Candidacy.Health) => boolean): Effect.Effect<Answer> =>
  Effect.map(Effect.forEach(served, (one) => check(one, isOk)), (checks) => {
    const reports = checks.map(({ report }) => report)
    return json(checks.every(({ ok }) => ok) ? 200 : 503, reports.length === 1 ? reports[0] : reports)
  })

/** 200 if the store has answered the candidates lately. */
export const live = (served: ReadonlyArray<Served>) => all(served, ({ healthy }) => healthy)

/** 200 if the candidates also take part. */
export const ready = (served: ReadonlyArray<Served>) => all(served, ({ healthy, role }) => healthy && role !== "Idle")
