/** Answers in JSON, and the methods that an endpoint has. */
import * as Effect from "effect/Effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"

export type Answer = HttpServerResponse.HttpServerResponse

const always = { "cache-control": "no-store", "x-content-type-options": "nosniff" }

export const text = (status: number, body: string, contentType: string, headers: Record<string, string> = {}): Answer =>
  HttpServerResponse.text(body, { status, contentType, headers: { ...always, ...headers } })

export const json = (status: number, body: unknown, headers?: Record<string, string>): Answer =>
  text(status, `${JSON.stringify(body)}\n`, "application/json", headers)

export const reading = ["GET", "HEAD", "OPTIONS"]

/** An endpoint with these methods; any other is refused. */
export const endpoint = <E, R>(
  methods: ReadonlyArray<string>,
  answer: (request: HttpServerRequest) => Effect.Effect<Answer, E, R>
) =>
(request: HttpServerRequest): Effect.Effect<Answer, E, R> => {
  const allow = methods.join(", ")
  if (request.method === "OPTIONS") {
    return Effect.succeed(HttpServerResponse.empty({ status: 204, headers: { ...always, allow } }))
  }
  return methods.includes(request.method)
    ? answer(request)
    : Effect.succeed(json(405, { error: `${request.method} is not possible here: use ${allow}` }, { allow }))
}

/** The parameters of a request; of several with one name, the last. */
export const parametersOf = ({ url }: HttpServerRequest): { readonly [name: string]: string | undefined } => {
  const at = url.indexOf("?")
  return at < 0 ? {} : Object.fromEntries(new URLSearchParams(url.slice(at + 1)))
}
