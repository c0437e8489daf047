/** A flag that is a span of time. */
import { Flag } from "effect/cli"
import type * as Duration from "effect/Duration"
import type * as Option from "effect/Option"
import * as Span from "./span.ts"

/** A flag `--name SPAN`, absent unless given. */
export const spanFlag = (name: string, description: string): Flag.Flag<Option.Option<Duration.Duration>> =>
  Flag.String(name).pipe(
    Flag.withMetavar("SPAN"),
    Flag.withDescription(description),
    Flag.filterMap(Span.parse, (text) => `${JSON.stringify(text)} is no span of time: give ${Span.syntax}`),
    Flag.optional
  )
