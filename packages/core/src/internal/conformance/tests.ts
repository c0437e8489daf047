/** What the parts of the conformance suite share. */
import { assert, type Vitest } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import * as Bytes from "../../Bytes.ts"
import { Database } from "../../Database.ts"
import type { FdbError } from "../../FdbError.ts"
import * as KeyRange from "../../KeyRange.ts"
import { Transaction, type TransactionService } from "../../Transaction.ts"
import type { TransactionOptions } from "../../TransactionOptions.ts"

/** What the engine's package has settled. */
export interface Settings {
  readonly maxKeyLength: number
  readonly runs: number
  readonly seed: number | undefined
  readonly selectorsCountCleared: boolean
}

/** Declares a test, which has a part of the key space of its own. */
export type Test = (
  name: string,
  body: (space: Space) => Generator<Effect.Effect<any, any, Database | Scope.Scope>, void, never>
) => void

/** A part of the suite: declares tests. */
export type Tests = (test: Test, settings: Settings, it: Vitest.MethodsNonLive<Database>) => void

/** Has the tests of a part run by `it`. */
export const declare = (it: Vitest.MethodsNonLive<Database>, settings: Settings) => (tests: Tests): void =>
  tests(
    (name, body) => it.effect(name, () => Effect.flatMap(makeSpace, (space) => Effect.gen(() => body(space)))),
    settings,
    it
  )

/** The keys of one test. */
export interface Space {
  /** The key of a name. */
  readonly key: (name: string) => Uint8Array
  readonly range: KeyRange.KeyRange
  /** The name of a key of this space, `"<"` and `">"` for those that lie before and behind it. */
  readonly nameOf: (key: Uint8Array) => string
}

/** A part of the key space that nobody else uses; it is cleared when the scope is closed. */
export const makeSpace: Effect.Effect<Space, FdbError, Database | Scope.Scope> = Effect.gen(function*() {
  const chance = [yield* Random.next, yield* Random.next].map((fraction) => fraction.toString(36).slice(2))
  const prefix = Bytes.fromString(`conformance/${chance.join("")}/`)
  const range = KeyRange.fromPrefix(prefix)
  yield* Effect.acquireRelease(
    Effect.void,
    () => Effect.orDie(Database.transact(Transaction.use((tx) => tx.clearRange(range)), { idempotent: true }))
  )
  return {
    key: (name) => Bytes.concat(prefix, Bytes.fromString(name)),
    range,
    nameOf: (key) =>
      KeyRange.contains(range, key)
        ? new TextDecoder().decode(key.subarray(prefix.length))
        : Bytes.compare(key, range.begin) < 0
        ? "<"
        : ">"
  }
})

/** A transaction whose operations are called one by one from outside, so that several can be interleaved. */
export interface Session extends TransactionService {
  readonly commit: Effect.Effect<void, FdbError>
  /** Lets the body fail, which rolls everything back. */
  readonly abandon: Effect.Effect<void>
}

const abandoned = Symbol("abandoned")

/** Begins a transaction that is tried once. */
export const begin = Effect.fnUntraced(function*(options: TransactionOptions = {}) {
  const ready = yield* Deferred.make<TransactionService>()
  const ending = yield* Deferred.make<void, typeof abandoned>()
  const body = Transaction.use((tx) => Effect.andThen(Deferred.succeed(ready, tx), Deferred.await(ending)))
  const fiber = yield* Effect.forkChild(Database.transact(body, { retryLimit: 0, ...options }))
  const tx = yield* Deferred.await(ready)
  const session: Session = {
    ...tx,
    commit: Effect.andThen(
      Deferred.succeed(ending, undefined),
      Effect.catchIf(Fiber.join(fiber), (error) => error === abandoned, () => Effect.die("it was abandoned"))
    ) as Effect.Effect<void, FdbError>,
    abandon: Effect.andThen(Deferred.fail(ending, abandoned), Effect.asVoid(Fiber.await(fiber)))
  }
  return session
})

/** Runs an operation, or a generator of several, in a transaction of its own. */
export const run: {
  <A, E, R>(use: (tx: TransactionService) => Effect.Effect<A, E, R>, options?: TransactionOptions): Transacted<A, E, R>
  <Eff extends Effect.Effect<any, any, any>, A>(
    use: (tx: TransactionService) => Generator<Eff, A, never>,
    options?: TransactionOptions
  ): Transacted<A, Effect.Error<Eff>, Effect.Services<Eff>>
} = (use: (tx: TransactionService) => any, options?: TransactionOptions) =>
  Database.transact(
    Transaction.use((tx) => {
      const used = use(tx)
      return Effect.isEffect(used) ? used : Effect.gen(() => used)
    }),
    options
  ) as never

type Transacted<A, E, R> = Effect.Effect<A, E | FdbError, Database | Exclude<R, Transaction>>

/** The value of a name as text. */
export const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : new TextDecoder().decode(value)

/** Text as bytes. */
export const bytes = Bytes.fromString

/** Writes names with their values. */
export const write = (space: Space, values: Record<string, string>) =>
  run(function*(tx) {
    for (const name in values) yield* tx.set(space.key(name), bytes(values[name]!))
  })

/** The value of a name, read in a transaction of its own. */
export const read = (space: Space, name: string) => Effect.map(run((tx) => tx.get(space.key(name))), text)

/** Everything in the space, as text. */
export const contents = (space: Space) =>
  Effect.map(
    run((tx) => tx.getRange(space.range)),
    (pairs) => Object.fromEntries(pairs.map(({ key, value }) => [space.nameOf(key), text(value)]))
  )

/** The effect fails with an error code. */
export const failsWith = <A, R>(effect: Effect.Effect<A, FdbError, R>, code: number) =>
  Effect.flatMap(
    Effect.flip(effect),
    (error) =>
      Effect.sync(() => {
        assert.strictEqual(error._tag, "FdbError")
        assert.strictEqual(error.code, code, error.message)
        return error
      })
  )

/** An operation, or a generator of several, fails in a transaction of its own. */
export const refused = (
  code: number,
  use: (tx: TransactionService) =>
    | Effect.Effect<unknown, FdbError, Scope.Scope>
    | Generator<Effect.Effect<any, FdbError, Database | Scope.Scope>, unknown, never>,
  options?: TransactionOptions
) => failsWith(run(use as (tx: TransactionService) => Effect.Effect<unknown, FdbError, Scope.Scope>, options), code)

/** The commit is refused for a conflict. */
export const conflicting = (session: Session) => failsWith(session.commit, 1020)

/** Waits for what has to happen on its own; long enough for a busy machine. */
export const soon = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.timeoutOrElse(effect, { duration: "20 seconds", orElse: () => Effect.die("it did not happen") })
