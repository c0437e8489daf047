/** A flag that is a duration. */
import { Flag } from "effect/cli"
import type * as Duration from "effect/Duration"
import type * as Option from "effect/Option"
import * as Durations from "./durations.ts"

/** A flag `--name DURATION`, absent unless given. */
export const durationFlag = (name: string, description: string): Flag.Flag<Option.Option<Duration.Duration>> =>
  Flag.String(name).pipe(
    Flag.withMetavar("DURATION"),
    Flag.withDescription(description),
    Flag.filterMap(Durations.parse, (text) => `${JSON.stringify(text)} is not a duration: give ${Durations.syntax}`),
    Flag.optional
  )
