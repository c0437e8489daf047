/**
 * Elections of one process on one database, whose beats are made together (11).
 *
 * A member's own fiber joins and sleeps, and the group makes its beats. Whatever is not a usual beat ends the membership: the fiber goes
 * on, does alone what has to be done, and joins again.
 */
import type * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import * as Scheduler from "effect/Scheduler"
import { Alarm } from "./alarm.ts"

/** How many members beat in one transaction. */
const mostMembers = 256

export interface Member {
  /** The services of its own fiber. */
  readonly context: Context.Context<never>
}

/** Members that beat together. */
export interface Cohort<M extends Member> {
  readonly members: ReadonlyArray<M>
  /** The usual time between two of their beats: cohorts of one period may become one. */
  readonly period: bigint
  /** When their next beat is due, on the monotonic clock. */
  readonly dueAt: bigint
  /** From when on it may be made, together with that of another cohort. */
  readonly from: bigint
}

/** Makes a beat. Gives the cohorts that go on; the membership of all others ends. */
export type Beat<M extends Member> = (
  members: ReadonlyArray<M>,
  group: Group<M>
) => Effect.Effect<ReadonlyArray<Cohort<M>>>

interface Running<M extends Member> {
  readonly members: ReadonlyArray<M>
  readonly fiber: Fiber.Fiber<void>
}

export class Group<M extends Member> {
  private readonly clock: Clock.Clock
  private readonly beat: Beat<M>
  private readonly alarm: Alarm
  /** What ends the membership of each. */
  private readonly members = new Map<M, () => void>()
  private waiting: Array<Cohort<M>> = []
  private readonly running = new Map<M, Running<M>>()

  constructor(clock: Clock.Clock, beat: Beat<M>) {
    this.clock = clock
    this.beat = beat
    this.alarm = new Alarm(clock, (slept) => this.ring(slept))
  }

  /** How many members it has. */
  get size(): number {
    return this.members.size
  }

  /** Whether it is a member still: nothing is to be done any more for one that is not. */
  has(member: M): boolean {
    return this.members.has(member)
  }

  /** Ends the membership of one that has something to do alone, before the beat of the others is over. */
  release(member: M): void {
    const end = this.members.get(member)
    this.members.delete(member)
    if (this.members.size === 0) this.alarm.cancel()
    end?.()
  }

  /** Makes the beats of a member, which joins only once. Returns when its membership has ended, by the group or by interruption. */
  join(member: M, cohort: Omit<Cohort<M>, "members">): Effect.Effect<void> {
    return Effect.callback((resume) => {
      this.members.set(member, () => resume(Effect.void))
      this.wait({ members: [member], ...cohort })
      return Effect.suspend(() => this.leave(member))
    })
  }

  private wait(cohort: Cohort<M>): void {
    this.waiting.push(cohort)
    this.alarm.ringAt(cohort.dueAt, cohort.members[0]!.context)
  }

  /** A beat that is made for nobody any more is interrupted: the database may be about to close. */
  private leave(member: M): Effect.Effect<void> {
    this.members.delete(member)
    if (this.members.size === 0) {
      this.waiting = []
      this.alarm.cancel()
    }
    const beat = this.running.get(member)
    return beat === undefined || beat.members.some((other) => this.has(other))
      ? Effect.void
      : Effect.asVoid(Fiber.interrupt(beat.fiber))
  }

  private ring(slept: Exit.Exit<void>): void {
    const read = Result.try(() => this.clock.monotonicTimeNanosUnsafe())
    // Everyone finds out alone what a defective clock means.
    if (slept._tag === "Failure" || Result.isFailure(read)) return this.done([...this.members.keys()], Exit.succeed([]))
    const now = read.success
    const waiting = this.waiting.toSorted((a, b) => a.dueAt < b.dueAt ? -1 : 1)
    this.waiting = []
    const due: Array<ReadonlyArray<M>> = []
    while (waiting.length > 0 && waiting[0]!.dueAt <= now) {
      const { members, period } = waiting.shift()!
      const together = members.filter((member) => this.has(member))
      for (const other of together.length === 0 ? [] : waiting.splice(0)) {
        const joins = other.period === period && other.from <= now &&
          together.length + other.members.length <= mostMembers
        if (joins) together.push(...other.members.filter((member) => this.has(member)))
        else waiting.push(other)
      }
      if (together.length > 0) due.push(together)
    }
    this.waiting = waiting
    const [next] = waiting
    if (next !== undefined) this.alarm.ringAt(next.dueAt, next.members[0]!.context)
    for (const members of due) this.run(members)
  }

  private run(members: ReadonlyArray<M>): void {
    // It does not give way to what the many fibers of its members do: they would be late together.
    const beat = Effect.provideService(
      Effect.suspend(() => this.beat(members, this)),
      Scheduler.PreventSchedulerYield,
      true
    )
    const fiber = Effect.runForkWith(members[0]!.context)(
      Effect.map(Effect.exit(beat), (exit) => this.done(members, exit))
    )
    if (fiber.pollUnsafe() !== undefined) return
    const running = { members, fiber }
    for (const member of members) this.running.set(member, running)
  }

  private done(members: ReadonlyArray<M>, exit: Exit.Exit<ReadonlyArray<Cohort<M>>>): void {
    for (const member of members) this.running.delete(member)
    const cohorts = exit._tag === "Success" ? exit.value : []
    for (const cohort of cohorts) this.wait(cohort)
    const stays = new Set(cohorts.flatMap((cohort) => cohort.members))
    for (const member of members) if (!stays.has(member)) this.release(member)
  }
}
