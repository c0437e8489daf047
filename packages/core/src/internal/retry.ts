/** The retry loop: attempt after attempt until one commits, fails for good, or the time is up. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import * as Random from "effect/Random"
import * as References from "effect/References"
import * as Tracer from "effect/Tracer"
import type { AttemptOptions, Engine } from "../Engine.ts"
import * as FdbError from "../FdbError.ts"
import { Transaction } from "../Transaction.ts"
import type { TransactionOptions } from "../TransactionOptions.ts"
import { Attempt } from "./attempt.ts"
import { maxTransactionSize, minTransactionSize } from "./limits.ts"
import { AttemptTransaction } from "./transactionService.ts"

const { codes } = FdbError
const nanosPerMilli = 1_000_000n
const defaultTimeout = Duration.seconds(10)
const defaultMaxRetryDelay = Duration.seconds(1)
const initialDelayMillis = 10
const maxDelayOfOverloadMillis = 30_000

const retried = Metric.counter("fdb_transaction_retries_total", {
  description: "Attempts of transactions that were retried, by engine and error code",
  incremental: true
})

const retries = (engine: string, code: number) => Metric.withAttributes(retried, { engine, code: String(code) })

/** The pause after these errors may be longer: a proxy is out of memory. */
const overloads = [codes.commitProxyMemoryLimitExceeded, codes.grvProxyMemoryLimitExceeded]

/** The read version was too old or in the future. No conflict caused that, so the delay does not grow. */
const isStale = ({ code }: FdbError.FdbError): boolean =>
  code === codes.transactionTooOld || code === codes.futureVersion

/** The delay before the next attempt: a random part of 10 ms, doubled with each of the `backoffs` before, up to `maxMillis`. */
const delayMillis = (error: FdbError.FdbError, backoffs: number, maxMillis: number): Effect.Effect<number> => {
  if (isStale(error)) return Effect.succeed(Math.min(maxMillis, initialDelayMillis))
  const cap = overloads.includes(error.code) ? maxDelayOfOverloadMillis : maxMillis
  return Effect.map(Random.next, (fraction) => Math.min(cap, initialDelayMillis * 2 ** backoffs) * fraction)
}

const isRetryable = (error: FdbError.FdbError, options: TransactionOptions): boolean =>
  error.retryable && (!error.maybeCommitted || options.idempotent === true)

/** Runs `body` in one attempt. Returns its exit, and the error if the attempt itself has raised it. */
const runAttempt = <A, E, R>(
  engine: Engine,
  body: Effect.Effect<A, E, R>,
  options: AttemptOptions,
  maybeCommitted: boolean
): Effect.Effect<
  readonly [Exit.Exit<A, E | FdbError.FdbError>, FdbError.FdbError | undefined],
  never,
  Exclude<R, Transaction>
> =>
  Effect.uninterruptibleMask((restore) => {
    const attempt = new Attempt(engine, engine.begin(options))
    const service = new AttemptTransaction(attempt, maybeCommitted)
    return restore(Effect.provideService(body, Transaction, service)).pipe(
      Effect.flatMap((value) => Effect.as(attempt.commit, value)),
      Effect.exit,
      Effect.flatMap((exit) => {
        const error = Exit.isFailure(exit) ? Cause.findErrorOption(exit.cause) : undefined
        const raised = error?._tag === "Some" && attempt.hasRaised(error.value) &&
            Exit.isFailure(exit) && !Cause.hasDies(exit.cause) && !Cause.hasInterrupts(exit.cause)
          ? error.value
          : undefined
        return Effect.as(attempt.dispose, [exit, raised] as const)
      })
    )
  })

const millisOf = (duration: Duration.Input | undefined, otherwise: Duration.Duration): number =>
  Duration.toMillis(duration ?? otherwise)

/** The error of a `sizeLimit` that FoundationDB refuses. */
const refuseSize = (size: number | undefined): FdbError.FdbError | undefined =>
  size === undefined || (Number.isInteger(size) && size >= minTransactionSize && size <= maxTransactionSize)
    ? undefined
    : FdbError.make(
      codes.invalidOptionValue,
      "write",
      `sizeLimit is ${size}; it has to be a whole number from ${minTransactionSize} to ${maxTransactionSize}`
    )

/** Not a generator, whose cost is notable if the first attempt succeeds. */
const runAttempts = <A, E, R>(
  engine: Engine,
  body: Effect.Effect<A, E, R>,
  options: TransactionOptions,
  clock: Clock.Clock,
  span: Tracer.Span | undefined
): Effect.Effect<A, E | FdbError.FdbError, Exclude<R, Transaction>> => {
  const refused = refuseSize(options.sizeLimit)
  if (refused !== undefined) return Effect.fail(refused)
  const timeout = millisOf(options.timeout, defaultTimeout)
  const retryLimit = options.retryLimit ?? Number.POSITIVE_INFINITY
  const begun = clock.monotonicTimeNanosUnsafe()
  let backoffs = 0
  /** The error of an attempt that may have been committed. The caller gets it, whatever later attempts do. */
  let uncertain: FdbError.FdbError | undefined

  const goOn = (attempt: number, exit: Exit.Exit<A, E | FdbError.FdbError>, error: FdbError.FdbError) => {
    if (!isRetryable(error, options) || attempt >= retryLimit) {
      return uncertain === undefined || error.maybeCommitted ? exit : Effect.fail(since(uncertain, error))
    }
    if (error.maybeCommitted) uncertain = error
    return Effect.flatMap(
      delayMillis(error, backoffs, millisOf(options.maxRetryDelay, defaultMaxRetryDelay)),
      (delay) => {
        if (!isStale(error)) backoffs++
        const left = timeout - Number(clock.monotonicTimeNanosUnsafe() - begun) / Number(nanosPerMilli) - delay
        if (left <= 0) {
          const detail = `the last attempt failed with ${error.code}`
          const timedOut = FdbError.make(codes.transactionTimedOut, "read", detail)
          return Effect.fail(uncertain === undefined ? timedOut : since(uncertain, timedOut))
        }
        return Metric.update(retries(engine.name, error.code), 1).pipe(
          Effect.andThen(Effect.sleep(delay)),
          Effect.andThen(Effect.suspend(() => run(attempt + 1, left)))
        )
      }
    )
  }

  const run = (attempt: number, left: number): Effect.Effect<A, E | FdbError.FdbError, Exclude<R, Transaction>> => {
    span?.attribute("fdb.attempts", attempt + 1)
    return Effect.flatMap(
      runAttempt(engine, body, {
        timeoutMillis: left,
        sizeLimit: options.sizeLimit,
        priority: options.priority ?? "default",
        causalReadRisky: options.causalReadRisky ?? false,
        tag: options.tag
      }, uncertain !== undefined),
      ([exit, error]) => {
        if (error !== undefined) return goOn(attempt, exit, error)
        return uncertain === undefined || Exit.isSuccess(exit) ? exit : Exit.failCause(inDoubt(uncertain, exit.cause))
      }
    )
  }

  return run(0, timeout)
}

/** The error of an attempt that may have been committed, with the final failure of a later attempt as its cause. */
const since = (uncertain: FdbError.FdbError, last: FdbError.FdbError): FdbError.FdbError =>
  FdbError.make(uncertain.code, uncertain.phase, `a later attempt failed with ${last.code}`, last)

/**
 * A failure of the body after an attempt that may have been committed does not mean that nothing was written, so it becomes the cause
 * of that error. Defects and interruptions are not changed.
 */
const inDoubt = <E>(uncertain: FdbError.FdbError, cause: Cause.Cause<E>): Cause.Cause<E | FdbError.FdbError> => {
  const error = Cause.findErrorOption(cause)
  return error._tag === "None" || Cause.hasDies(cause) || Cause.hasInterrupts(cause)
    ? cause
    : Cause.fail(FdbError.make(uncertain.code, uncertain.phase, "a later attempt failed in its body", error.value))
}

/** See `Database.transact`. It makes a span only if a tracer is installed, because a span costs as much as all the rest. */
export const transact = <A, E, R>(
  engine: Engine,
  body: Effect.Effect<A, E, R>,
  options: TransactionOptions
): Effect.Effect<A, E | FdbError.FdbError, Exclude<R, Transaction>> =>
  Effect.withFiber((fiber) => {
    const clock = fiber.getRef(Clock.Clock)
    return fiber.getRef(Tracer.Tracer) !== Tracer.nativeTracer && fiber.getRef(References.TracerEnabled)
      ? Effect.useSpan("Database.transact", { kind: "client", attributes: { "fdb.engine": engine.name } }, (span) =>
        Effect.withParentSpan(runAttempts(engine, body, options, clock, span), span, {
          captureStackTrace: false
        }))
      : runAttempts(engine, body, options, clock, undefined)
  }) as Effect.Effect<A, E | FdbError.FdbError, Exclude<R, Transaction>>
