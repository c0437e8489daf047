/** `POST /step-down`: the one request that changes anything. */
import type { Database } from "@effect-fdb/core"
import * as Effect from "effect/Effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { createHash, timingSafeEqual } from "node:crypto"
import { transact } from "../SelectedElection.ts"
import { type Answer, json } from "./answers.ts"
import type { Served } from "./served.ts"

const digest = (text: string): Uint8Array => createHash("sha256").update(text).digest()

/** Whether the request has the token. How long this takes tells nothing of how much of a token was right. */
export const isAuthorized = ({ headers }: HttpServerRequest, token: Redacted.Redacted): boolean => {
  const [, given = ""] = /^Bearer +(.*)$/i.exec(headers["authorization"] ?? "") ?? []
  return timingSafeEqual(digest(given), digest(Redacted.value(token)))
}

export const unauthorized: Answer = json(401, { error: "give the token in the header Authorization: Bearer" }, {
  "www-authenticate": "Bearer"
})

/** Asks the leader to step down, and tells which one was asked. */
export const stepDown = ({ election, name }: Served): Effect.Effect<Answer, never, Database> =>
  Effect.match(transact(election.requestStepDown), {
    onSuccess: (asked) =>
      json(202, {
        election: name,
        asked: Option.match(asked, {
          onNone: () => null,
          onSome: ({ leaderId, term }) => ({ id: leaderId, term: String(term) })
        })
      }),
    onFailure: ({ message }) => json(503, { election: name, error: message })
  })
