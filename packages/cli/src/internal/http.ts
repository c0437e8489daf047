/** `--http`: what is loaded and started for it. */
import type { Database } from "@effect-fdb/core"
import type { ServedElection } from "@effect-fdb/http/ElectionHttp"
import type { EventLog } from "@effect-fdb/http/EventLog"
import { Flag } from "effect/cli"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { type Failure, systemRefused, usageError } from "../Failure.ts"

export interface Address {
  readonly host: string
  readonly port: number
}

const tokenVariable = "FDB_ELECTION_HTTP_TOKEN"

/** `HOST:PORT`, `[::1]:PORT`, or `PORT` on 127.0.0.1. */
export const parseAddress = (text: string): Option.Option<Address> => {
  const [, inBrackets, name, port] = /^(?:(?:\[([^\]]+)\]|([^:[\]]+)):)?(\d{1,5})$/.exec(text) ?? []
  if (port === undefined || Number(port) > 65_535) return Option.none()
  return Option.some({ host: inBrackets ?? name ?? "127.0.0.1", port: Number(port) })
}

export const httpFlag = (description: string) =>
  Flag.String("http").pipe(
    Flag.withMetavar("HOST:PORT"),
    Flag.withDescription(description),
    Flag.filterMap(
      parseAddress,
      () => "an address and a port, such as 127.0.0.1:8008"
    )
  )

/** The token from the environment: in the arguments of a process, others could read it. */
const readToken = Effect.gen(function*() {
  const token = Option.getOrUndefined(
    yield* Effect.orElseSucceed(Config.option(Config.Redacted(tokenVariable)), () => Option.none())
  )
  if (token !== undefined && Redacted.value(token) === "") {
    return yield* usageError(`${tokenVariable} is empty: set it to a secret, or unset it`)
  }
  return token
})

/** Listens until the scope closes. Gives the URL. */
export const listen = Effect.fnUntraced(function*(
  { host, port }: Address,
  elections: readonly [ServedElection, ...ReadonlyArray<ServedElection>],
  events?: EventLog
): Effect.fn.Return<string, Failure, Database | Scope.Scope> {
  const stepDownToken = yield* readToken
  const { layerServer } = yield* Effect.promise(() => import("@effect-fdb/http/ElectionHttp"))
  yield* Layer.build(layerServer({ host, port, elections, events, stepDownToken })).pipe(
    Effect.catchTag("ServeError", ({ cause }) =>
      systemRefused(
        `--http cannot listen on ${host}:${port}: ${cause instanceof Error ? cause.message : String(cause)}; ` +
          "give another address or port"
      ))
  )
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}/`
})
