/** The id of the process, and how it speaks. */
import type { ElectionEvent } from "@effect-fdb/leader-election"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as os from "node:os"
import * as tty from "node:tty"
import type { Options } from "../commands/run.ts"
import { eventLine, type EventPart } from "../eventLine.ts"
import { MessageFormat, messageLine } from "../messages.ts"
import { foregroundGroup } from "./controllingTerminal.ts"
import * as ServiceManager from "./serviceManager.ts"
import type { Transactions } from "./transactions.ts"

const defaultId = Effect.gen(function*() {
  let suffix = ""
  for (let i = 0; i < 4; i++) suffix += String.fromCharCode(97 + (yield* Random.nextIntBetween(0, 25)))
  return `${os.hostname()}-${process.pid}-${suffix}`
})

export interface Speaker {
  readonly id: string
  readonly say: (line: string) => void
  /** Writes an event as JSON; `undefined` if events are told in sentences. */
  readonly tell: ((event: ElectionEvent, part: EventPart) => void) | undefined
  readonly manager: ServiceManager.ServiceManager
}

export const makeSpeaker = Effect.fnUntraced(function*(options: Options, transactions: Transactions) {
  const console = yield* Console.Console
  const clock = yield* Clock.Clock
  const format = yield* MessageFormat
  const write = (line: string): void => {
    if (options.quiet) return
    // A terminal may stop a process that writes from the background.
    if (tty.isatty(2) && foregroundGroup() === undefined) transactions.whenNone(() => console.error(line))
    else console.error(line)
  }
  const now = () => clock.currentTimeMillisUnsafe()
  const say = (message: string) => write(messageLine(format, now(), "info", message))
  if (process.pid === 1) {
    say(
      "is process 1 and cannot reap orphans of the command: start the container with an init, as `docker run --init` does"
    )
  }
  const tell: Speaker["tell"] = format.current === "json"
    ? (event, part) => write(eventLine(now(), event, part))
    : undefined
  const speaker: Speaker = {
    id: Option.isSome(options.id) ? options.id.value : yield* defaultId,
    say,
    tell,
    manager: ServiceManager.make(say)
  }
  return speaker
})
