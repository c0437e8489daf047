/** Counts the transactions under way. A process that is stopped in a commit may hold the store's lock until it continues. */
import type { DatabaseService } from "@effect-fdb/core"
import * as Effect from "effect/Effect"

export class Transactions {
  private underWay = 0
  private waiting = new Set<() => void>()

  counting(database: DatabaseService): DatabaseService {
    return {
      engine: database.engine,
      transact: (body, options) =>
        Effect.acquireUseRelease(
          Effect.sync(() => this.underWay++),
          () => database.transact(body, options),
          () => Effect.sync(() => this.ended())
        )
    }
  }

  /** Calls `then` as soon as no transaction is under way, in the same turn of the event loop. It waits at most once. */
  whenNone(then: () => void): void {
    if (this.underWay === 0) then()
    else this.waiting.add(then)
  }

  private ended(): void {
    this.underWay--
    if (this.underWay > 0) return
    const waiting = this.waiting
    this.waiting = new Set()
    for (const then of waiting) then()
  }
}
