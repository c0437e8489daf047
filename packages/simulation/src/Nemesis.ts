/**
 * Lets the faults of a scenario happen, and ends them. Operators have a process of their own, without faults.
 */
import { Bytes, Database, type FdbError, Transaction, Tuple } from "@effect-fdb/core"
import { ElectionConfig, type LeaderElection, type LeaderState } from "@effect-fdb/leader-election"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type { EventLog } from "./EventLog.ts"
import { type EventScheduler, second } from "./EventScheduler.ts"
import { calm } from "./FaultRates.ts"
import type { Host } from "./Host.ts"
import { type CommitKind, commitKind, electionSubspace } from "./internal/commitKind.ts"
import type { SeededRandom } from "./internal/seededRandom.ts"
import { type Config, type Fault, longestHold, longestWait, type Target } from "./Scenario.ts"
import type { SimulatedDatabase } from "./SimulatedDatabase.ts"
import type { SimulatedProcess } from "./SimulatedProcess.ts"
import type { Trigger, Triggers } from "./Triggers.ts"

export { electionSubspace }

const leaseKey = electionSubspace.pack(["lease"])

/** A configuration as the library has it. */
export const toElectionConfig = (config: Config, enabled = true): ElectionConfig =>
  new ElectionConfig({
    leaseDuration: Duration.millis(Math.round(config.lease * 1000)),
    heartbeatInterval: Duration.millis(Math.round(config.heartbeat * 1000)),
    candidateTimeout: Duration.millis(Math.round(config.candidateTimeout * 1000)),
    electionEnabled: enabled,
    allowPreemption: config.preemption
  })

/** Who acts on what. */
interface Stage {
  readonly scheduler: EventScheduler
  readonly database: SimulatedDatabase
  readonly log: EventLog
  readonly election: LeaderElection.LeaderElection
  readonly hosts: ReadonlyArray<Host>
  readonly triggers: Triggers
  /** Makes one more host, for a double. */
  readonly double: (of: Host) => Host
  readonly operator: { readonly process: SimulatedProcess; readonly context: Context.Context<Database> }
}

type Race = Fault<"race">

/** A commit that is kept back; `admit` lets it go on, once. */
interface HeldCommit {
  readonly commit: CommitKind
  readonly until: Race["until"]
  readonly place: Race["place"]
  readonly admit: () => void
  /** Others of its kind, which must not overtake it. */
  readonly next: Array<() => void>
}

/** What an operator is doing. */
type Act = Fiber.Fiber<unknown, unknown>

/** Whoever writes to an election by hand must not share the version of a renewal. */
const conflictWithRenewals = Effect.flatMap(Transaction, (tx) => tx.addReadConflictKey(leaseKey))

/** The candidate of an operator that takes the leadership at once. */
const usurper = "usurper"

/** How often an operator tries something again. */
const fewAttempts = 5

export class Nemesis {
  private readonly stage: Stage
  private readonly random: SeededRandom
  private storms: Array<Fault<"storm">> = []
  private faults = 0
  private readonly spoiled = new Set<string>()
  /** Who has brought about what has triggered the fault that begins. */
  private struck: Host | undefined = undefined
  /** What waits for a commit, and which commits are kept back. */
  private readonly races = new Set<Race>()
  private readonly held = new Set<HeldCommit>()

  constructor(stage: Stage) {
    this.stage = stage
    const { database, triggers } = stage
    database.atArrival = ({ by, mutations }, admit) => {
      if (!triggers.isAwaited && this.races.size === 0 && this.held.size === 0) return admit()
      const kind = commitKind(mutations)
      if (kind === undefined) return admit()
      this.order(kind, by, admit)
      triggers.fire(kind, by)
    }
    this.random = stage.scheduler.random("director")
  }

  /** Arranges a fault. */
  arrange(fault: Fault): void {
    const { trigger } = fault
    this.stage.scheduler.at(
      Math.round(fault.at * second),
      () => trigger === undefined ? this.begin(fault) : this.beginUpon(trigger, fault)
    )
  }

  private beginUpon(trigger: Trigger, fault: Fault): void {
    const { triggers, scheduler } = this.stage
    const late = scheduler.after(longestWait * second, () => {
      stop()
      this.begin(fault)
    })
    const stop = triggers.next(trigger, (by) => {
      late.run = undefined
      this.strike(by, fault)
    })
  }

  /** Admits a commit that has arrived, with those that were kept back until then; or keeps it back. */
  private order(kind: CommitKind, by: string, admit: () => void): void {
    const { database, log, scheduler } = this.stage
    const met = [...this.held].filter(({ until }) => until === kind)
    const race = met.length > 0 ? undefined : [...this.races].find(({ commit }) => commit === kind)
    if (race !== undefined) {
      this.races.delete(race)
      for (const fault of race.meanwhile) {
        // Whoever is meant by the leader is whose commit it is.
        const { trigger } = fault
        scheduler.after(
          Math.round(fault.at * second),
          () => trigger === undefined ? this.strike(by, fault) : this.beginUpon(trigger, fault)
        )
      }
      if (race.until !== undefined) return this.keepBack(race, by, admit)
    }
    const ahead = met.length > 0 ? undefined : [...this.held].find(({ commit }) => commit === kind)
    if (ahead !== undefined) {
      log.add(by, "fault", { kind: "late-commit" })
      ahead.next.push(admit)
      return
    }
    for (const { admit, place } of met) if (place === "before") admit()
    admit()
    for (const { admit, place } of met) {
      if (place === "behind") admit()
      // The batch that is open now was written by then.
      else if (place === "later") scheduler.after(database.rates.batch + database.rates.logging, admit)
    }
  }

  private keepBack({ commit, place, until }: Race, by: string, admit: () => void): void {
    const { log, scheduler } = this.stage
    log.add(by, "fault", { kind: "late-commit" })
    const held: HeldCommit = {
      commit,
      until,
      place,
      admit: () => {
        if (!this.held.delete(held)) return
        admit()
        for (const admitNext of held.next) admitNext()
      },
      next: []
    }
    this.held.add(held)
    scheduler.after(longestHold * second, held.admit)
  }

  /** Begins a fault that, where it is meant for the leader, strikes the process of a name. */
  private strike(name: string, fault: Fault): void {
    this.struck = this.stage.hosts.find(({ present }) => present?.process.name === name)
    this.begin(fault)
    this.struck = undefined
  }

  private hostOf(target: Target): Host {
    const { hosts } = this.stage
    return target === "leader"
      ? this.struck ?? hosts.find((host) => host.isLeading) ?? this.random.pick(hosts)
      : hosts[target % hosts.length]!
  }

  /** Tells of a fault that lasts, and of its end. */
  private lasting(fault: Fault & { readonly for: number }, who: string, undo: () => unknown): void {
    const { log, scheduler } = this.stage
    const number = ++this.faults
    log.add(who, "fault-begins", { number, kind: fault.kind })
    scheduler.after(Math.round(fault.for * second), () => {
      undo()
      log.add(who, "fault-ends", { number, kind: fault.kind })
    })
  }

  private begin(fault: Fault): unknown {
    const { database, election, log, scheduler } = this.stage
    switch (fault.kind) {
      case "storm": {
        this.storms.push(fault)
        this.changeRates()
        return this.lasting(fault, "simulation", () => {
          this.storms = this.storms.filter((storm) => storm !== fault)
          this.changeRates()
        })
      }
      case "partition": {
        for (const target of fault.targets) {
          const present = this.hostOf(target).present
          if (present === undefined) continue
          present.link.cut(fault.cut)
          this.lasting(fault, present.process.name, () => present.link.heal(fault.cut))
        }
        return
      }
      case "fade": {
        const present = this.hostOf(fault.target).present
        if (present === undefined) return
        const { link, process } = present
        link.slow(Math.round(fault.delay * second))
        scheduler.after(Math.round(fault.for / 2 * second), () => link.cut("both"))
        return this.lasting(fault, process.name, () => {
          link.slow(0)
          link.heal("both")
        })
      }
      case "outage": {
        database.goDown(fault.versions > 0)
        return this.lasting(fault, "simulation", () => database.recover(fault.versions))
      }
      case "freeze":
      case "suspend":
      case "stall": {
        const host = this.hostOf(fault.target)
        const name = host.present?.process.name
        const thaw = host.freeze(fault.kind === "suspend")
        if (thaw !== undefined && name !== undefined) this.lasting(fault, name, thaw)
        return
      }
      case "replace": {
        const present = this.hostOf(fault.target).present
        if (present === undefined) return
        log.add(present.process.name, "fault", { kind: "replace" })
        return present.link.replace()
      }
      case "jump": {
        const host = this.hostOf(fault.target)
        log.add(host.present?.process.name ?? host.name, "fault", { kind: "jump", by: fault.by })
        return host.jump(fault.by)
      }
      case "crash": {
        const host = this.hostOf(fault.target)
        log.add(host.present?.process.name ?? host.name, "fault", { kind: "crash" })
        host.crash()
        return this.restart(host, fault.restart, { keepsId: fault.keepsId })
      }
      case "stop": {
        const host = this.hostOf(fault.target)
        host.stop()
        return this.restart(host, fault.restart, { keepsId: fault.keepsId, priority: fault.priority })
      }
      case "deploy": {
        log.add("operator", "deploys", { priority: fault.priority })
        this.stage.hosts.forEach((host, index) =>
          scheduler.after(Math.round(index * fault.each * second), () => {
            host.stop()
            this.restart(host, fault.each / 2, { keepsId: true, priority: fault.priority })
          })
        )
        return
      }
      case "prioritize":
        return this.hostOf(fault.target).prioritize(fault.priority)
      case "resign":
        return this.stage.hosts.find((host) => host.isLeading)?.resign()
      case "duplicate": {
        const double = this.stage.double(this.hostOf(fault.target))
        double.start({ keepsId: true })
        return this.lasting(fault, double.name, () => double.retire())
      }
      case "configure": {
        const { candidateTimeout, heartbeat, lease, preemption } = fault.config
        return this.operate(
          "configures",
          { lease, heartbeat, candidateTimeout, preemption },
          Effect.flatMap(
            election.readConfig,
            ({ electionEnabled }) => election.writeConfig(toElectionConfig(fault.config, electionEnabled))
          )
        )
      }
      case "disable": {
        const disabling = this.operate("disables", {}, this.enable(false))
        return this.lasting(
          fault,
          "operator",
          () => this.operate("enables", {}, this.enable(true), { after: disabling, always: true })
        )
      }
      case "step-down":
        return this.operate("asks-to-step-down", {}, election.requestStepDown)
      case "evict":
        return this.operate("evicts", {}, election.evictDeadCandidates)
      case "garbage":
        return this.garbage(fault)
      case "forge":
        return this.forge(fault.priority)
      case "usurp":
        return this.usurp()
      case "resign-late": {
        let old: Option.Option<LeaderState> = Option.none()
        const reading = this.operate(
          "looks",
          {},
          Effect.map(election.getLeaderRaw, (state) => {
            old = state
          })
        )
        const resigning = Effect.gen(function*() {
          const now = yield* election.getLeaderRaw
          if (Option.isNone(old) || Option.isNone(now) || now.value.term === old.value.term) return
          yield* election.resignLeadership(old.value)
        })
        return scheduler.after(
          Math.round(fault.for * second),
          () => this.operate("resigns-late", {}, resigning, { after: reading })
        )
      }
      case "race": {
        this.races.add(fault)
        return scheduler.after(Math.round(fault.for * second), () => this.races.delete(fault))
      }
    }
  }

  private enable(electionEnabled: boolean) {
    const { election } = this.stage
    return Effect.flatMap(
      election.readConfig,
      (config) => election.writeConfig(new ElectionConfig({ ...config, electionEnabled }))
    )
  }

  private restart(
    host: Host,
    seconds: number,
    options: { readonly keepsId: boolean; readonly priority?: number | undefined }
  ): void {
    const { scheduler } = this.stage
    const again = (): void => {
      if (host.present !== undefined) {
        if (!host.present.isStopping) return
        scheduler.after(second / 10, again)
        return
      }
      host.start(options)
    }
    scheduler.after(Math.round(seconds * second), again)
  }

  private changeRates(): void {
    this.stage.database.rates = this.storms.reduce((rates, storm) => ({ ...rates, ...storm.rates }), calm)
  }

  /** An operator does something, after something else perhaps, and tries again some times, or until it is done. */
  private operate<A, E>(
    what: string,
    details: Parameters<EventLog["add"]>[2],
    act: Effect.Effect<A, E | FdbError, Transaction>,
    options: { readonly after?: Act | undefined; readonly always?: boolean; readonly done?: () => void } = {}
  ): Act {
    const { log, operator } = this.stage
    log.add("operator", what, details)
    const attempt = (left: number): Effect.Effect<void, never, Database> =>
      Database.transact(act, { idempotent: true }).pipe(
        Effect.exit,
        Effect.flatMap((exit) =>
          exit._tag === "Success"
            ? Effect.sync(() => {
              log.add("operator", "done", { what })
              options.done?.()
            })
            : left > 0
            ? Effect.andThen(Effect.sleep("1 second"), attempt(left - 1))
            : Effect.sync(() => log.add("operator", "gives-up", { what }))
        )
      )
    const patience = attempt(options.always === true ? Number.POSITIVE_INFINITY : fewAttempts)
    const before = options.after === undefined ? Effect.void : Fiber.await(options.after)
    return operator.process.fork(operator.context, Effect.andThen(before, patience))
  }

  /** Writes garbage into a record, and puts back later what stood there. */
  private garbage(fault: Fault<"garbage">): void {
    const { election, hosts } = this.stage
    const { subspace } = election
    const key = fault.record === "candidate"
      ? subspace.pack(["candidates", this.random.pick(hosts).candidateId])
      : subspace.pack([fault.record])
    const bytes = this.random.happens(0.5)
      ? Uint8Array.from({ length: this.random.between(0, 20) }, () => this.random.between(0, 255))
      : Tuple.pack([BigInt(this.random.between(2, 9)), "of a newer version"])
    // What is spoiled already would be put back as it is.
    const name = Bytes.toHex(key)
    if (this.spoiled.has(name)) return
    this.spoiled.add(name)
    let before: Uint8Array | undefined
    const spoiling = this.operate(
      "spoils",
      { record: fault.record },
      Effect.gen(function*() {
        const tx = yield* Transaction
        const found = yield* tx.get(key)
        if (found !== undefined && Bytes.equals(found, bytes)) return
        before = found
        yield* conflictWithRenewals
        yield* tx.set(key, bytes)
      })
    )
    const repair = Effect.gen(function*() {
      const tx = yield* Transaction
      const found = yield* tx.get(key)
      if (found === undefined || !Bytes.equals(found, bytes)) return
      yield* conflictWithRenewals
      yield* before === undefined ? tx.clear(key) : tx.set(key, before)
    })
    this.lasting(
      fault,
      "operator",
      () =>
        this.operate("repairs", { record: fault.record }, repair, {
          after: spoiling,
          always: true,
          done: () => this.spoiled.delete(name)
        })
    )
  }

  /** Where the lease does not get shorter by it: followers of the usurper must not wait for less than the leader believes. */
  private usurp(): void {
    const { election } = this.stage
    const registering = this.operate("registers", {}, Effect.asVoid(election.registerCandidate(usurper, 100)))
    const claiming = Effect.gen(function*() {
      const { leaseDuration } = yield* election.readConfig
      const leader = yield* election.getLeaderRaw
      if (Option.isNone(leader) || Duration.isGreaterThan(leader.value.leaseDuration, leaseDuration)) return
      yield* election.tryClaimLeadership(usurper, 100)
    })
    this.operate("usurps", {}, claiming, { after: registering })
  }

  /** Writes a challenge that no candidate would: of a priority that may be too low, or to another term. */
  private forge(priority: number): void {
    const { election } = this.stage
    const otherTerm = this.random.happens(0.3)
    this.operate(
      "forges",
      { priority },
      Effect.gen(function*() {
        const tx = yield* Transaction
        const leader = yield* election.getLeaderRaw
        if (leader._tag === "None") return
        const { registration, term } = leader.value
        const challenge = Tuple.pack([1n, otherTerm ? term + 1n : term, "nobody", BigInt(priority), registration])
        yield* tx.set(election.subspace.pack(["challenge"]), challenge)
      })
    )
  }
}
