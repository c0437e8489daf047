/**
 * Tells the service manager that has started this process (systemd, by a unit of `Type=notify`) that it takes part, what it does, and
 * for the manager's watchdog that it is alive.
 *
 * The manager reads datagrams from a Unix socket, which Node cannot open. So `systemd-notify`, a part of systemd, sends each message.
 * It is a child of this process: the unit needs `NotifyAccess=all`.
 */
import type { Candidacy } from "@effect-fdb/leader-election"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as childProcess from "node:child_process"
import { said } from "./spawn.ts"

const variables = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"] as const

export interface ServiceManager {
  /** `STATUS=`: a sentence. */
  readonly status: (sentence: string) => void
  /** `READY=1`: this process takes part. */
  readonly ready: () => void
  /**
   * `WATCHDOG=1`, three times in the time that the manager allows, while the campaign goes on: the store has answered, or has been asked
   * in vain again, since the last time. Without `health`, while this process runs.
   */
  readonly feed: (health?: Effect.Effect<Candidacy.Health>) => Effect.Effect<void, never, Scope.Scope>
}

const none: ServiceManager = { status: () => {}, ready: () => {}, feed: () => Effect.void }

/** A message takes milliseconds; this ends one that does not. */
const timeout = 10_000

/** Sends one message after the other. What comes meanwhile is the next message: of each field the last value. */
const makeSend = (env: NodeJS.ProcessEnv, failed: (problem: string) => void) => {
  let pending: Record<string, string> | undefined
  let sends = false
  const next = (): void => {
    if (pending === undefined) return void (sends = false)
    const fields = Object.entries(pending).map(([name, value]) => `${name}=${value}`)
    pending = undefined
    sends = true
    const child = childProcess.spawn("systemd-notify", fields, { env, stdio: "ignore", timeout })
    child.once("error", (cause) => {
      failed(said(cause))
      next()
    })
    child.once("exit", (code) => {
      if (code !== 0) failed(`systemd-notify has ended with ${code}`)
      next()
    })
  }
  return (fields: Readonly<Record<string, string>>): void => {
    pending = { ...pending, ...fields }
    if (!sends) next()
  }
}

/** The interval in which to feed the watchdog, in milliseconds; `undefined` if the manager has none for this process. */
const intervalOf = ({ WATCHDOG_PID: pid = String(process.pid), WATCHDOG_USEC: micros }: NodeJS.ProcessEnv) =>
  pid === String(process.pid) && Number(micros) > 0 ? Number(micros) / 3000 : undefined

/**
 * The service manager, if the environment names one. `say` is told once if it cannot be spoken to. The variables are taken out of the
 * environment: the command would speak for this process.
 */
export const make = (say: (line: string) => void): ServiceManager => {
  const env = { ...process.env }
  if (env.NOTIFY_SOCKET === undefined) return none
  for (const variable of variables) delete process.env[variable]
  let told = false
  const send = makeSend(env, (problem) => {
    if (told) return
    told = true
    say(`cannot tell the service manager how it is (${problem}): install systemd-notify, or use Type=exec in the unit`)
  })
  let isReady = false
  const interval = intervalOf(env)
  return {
    status: (sentence) => send({ STATUS: sentence }),
    ready: () => {
      if (!isReady) send({ READY: "1" })
      isReady = true
    },
    feed: (health) => {
      if (interval === undefined) return Effect.void
      let failures = 0
      const check = health === undefined ? Effect.succeed(true) : Effect.map(health, (health) => {
        const goesOn = health.healthy || health.failures !== failures
        failures = health.failures
        return goesOn
      })
      return check.pipe(
        Effect.map((goesOn) => goesOn ? send({ WATCHDOG: "1" }) : undefined),
        Effect.repeat(Schedule.spaced(Duration.millis(interval))),
        Effect.forkScoped,
        Effect.asVoid
      )
    }
  }
}
