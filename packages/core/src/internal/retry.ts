/** The retry loop: attempt after attempt until one commits, fails for good, or the time is up. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import * as Random from "effect/Random"
import type { AttemptOptions, Engine } from "../Engine.ts"
import * as FdbError from "../FdbError.ts"
import { Transaction } from "../Transaction.ts"
import type { TransactionOptions } from "../TransactionOptions.ts"
import { Attempt } from "./attempt.ts"
import * as metrics from "./metrics.ts"

const nanosPerMilli = 1_000_000n
const defaultTimeout = Duration.seconds(10)
const defaultMaxRetryDelay = Duration.seconds(1)
const initialDelayMillis = 10
/** Proxies out of memory are given more time than anything else. */
const maxDelayOfOverloadMillis = 30_000

/**
 * How long to wait before the next attempt: 10 ms doubled with each, up to `maxMillis`, and a random part of that. A
 * transaction that was too old or read the future has not been in anybody's way, so it waits no longer each time.
 */
const delayMillis = (error: FdbError.FdbError, attempt: number, maxMillis: number): Effect.Effect<number> => {
  if (error.code === 1007 || error.code === 1009) return Effect.succeed(initialDelayMillis)
  const cap = error.code === 1042 || error.code === 1078 ? maxDelayOfOverloadMillis : maxMillis
  return Effect.map(Random.next, (fraction) => Math.min(cap, initialDelayMillis * 2 ** attempt) * fraction)
}

const isRetryable = (error: FdbError.FdbError, options: TransactionOptions): boolean =>
  error.retryable && (!error.maybeCommitted || options.idempotent === true)

/** Runs `body` in one attempt. What may be retried is told apart from what may not by the attempt itself. */
const runAttempt = <A, E, R>(
  engine: Engine,
  body: Effect.Effect<A, E, R>,
  options: AttemptOptions
): Effect.Effect<
  readonly [Exit.Exit<A, E | FdbError.FdbError>, FdbError.FdbError | undefined],
  never,
  Exclude<R, Transaction>
> =>
  Effect.uninterruptibleMask((restore) => {
    const attempt = new Attempt(engine, engine.begin(options))
    return restore(Effect.provideService(body, Transaction, attempt.service)).pipe(
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

/** See `Database.transact`. */
export const transact = Effect.fnUntraced(function*<A, E, R>(
  engine: Engine,
  body: Effect.Effect<A, E, R>,
  options: TransactionOptions
) {
  const timeout = Duration.toMillis(Duration.fromInputUnsafe(options.timeout ?? defaultTimeout))
  const maxDelay = Duration.toMillis(Duration.fromInputUnsafe(options.maxRetryDelay ?? defaultMaxRetryDelay))
  const retryLimit = options.retryLimit ?? Number.POSITIVE_INFINITY
  const begun = yield* Clock.monotonicTimeNanos
  let left = timeout
  for (let attempt = 0;; attempt++) {
    const [exit, error] = yield* runAttempt(engine, body, {
      timeoutMillis: left,
      sizeLimit: options.sizeLimit,
      priority: options.priority ?? "default",
      causalReadRisky: options.causalReadRisky ?? false,
      tag: options.tag
    })
    if (error === undefined || !isRetryable(error, options) || attempt >= retryLimit) return yield* exit
    yield* Metric.update(metrics.retries(engine.name, error.code), 1)
    const delay = yield* delayMillis(error, attempt, maxDelay)
    left = timeout - Number((yield* Clock.monotonicTimeNanos) - begun) / Number(nanosPerMilli) - delay
    if (left <= 0) return yield* timedOut(error)
    yield* Effect.sleep(delay)
  }
})

/** Out of time between two attempts; if the last may have been committed, that is what the caller has to be told. */
const timedOut = (last: FdbError.FdbError): Effect.Effect<never, FdbError.FdbError> =>
  Effect.fail(last.maybeCommitted ? last : FdbError.make(1031, "read", `the last attempt failed with ${last.code}`))
