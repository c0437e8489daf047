/** Begins and ends the faults of a scenario. Operators act in a process of their own, without faults. */
import { Bytes, Database, type FdbError, Transaction, Tuple } from "@effect-fdb/core"
import { ElectionConfig, type LeaderState } from "@effect-fdb/leader-election"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type { Details } from "./EventLog.ts"
import { second } from "./EventScheduler.ts"
import { calm } from "./FaultRates.ts"
import type { Environment, Host, SimulatedElection, StartOptions } from "./Host.ts"
import { appointedIn, type CommitKind } from "./internal/commitKind.ts"
import { type Config, type Fault, longestHold, longestWait, type Target } from "./Scenario.ts"
import type { SimulatedProcess } from "./SimulatedProcess.ts"
import type { Triggers } from "./Triggers.ts"

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
interface Stage extends Environment {
  readonly hosts: ReadonlyArray<Host>
  readonly triggers: Triggers
  /** Makes another host with the same id. */
  readonly double: (of: Host) => Host
  readonly operator: { readonly process: SimulatedProcess; readonly context: Context.Context<Database> }
}

type Race = Fault<"race">

/** A commit that waits for another; `admit` lets it continue, once. */
interface HeldCommit extends Pick<Race, "commit" | "until" | "place"> {
  readonly admit: () => void
  /** Admits it, and then others of its kind, which must not overtake it. */
  readonly queue: Array<() => void>
}

/** An action of an operator under way. */
type Act = Fiber.Fiber<unknown, unknown>

/** Whoever writes to an election by hand must not share the version of a renewal. */
const conflictWithRenewals = ({ subspace }: SimulatedElection) =>
  Effect.flatMap(Transaction, (tx) => tx.addReadConflictKey(subspace.pack(["lease"])))

/** The number of times that an operator retries an action. */
const fewAttempts = 5

/** Returns the function that schedules a fault. */
export const makeNemesis = (stage: Stage): (fault: Fault) => void => {
  const { database, elections, hosts, log, operator, scheduler, triggers } = stage
  const random = scheduler.random("director")
  const races = new Set<Race>()
  const held = new Set<HeldCommit>()
  const storms = new Set<Fault<"storm">>()
  /** The records that hold garbage. They must not be put back as garbage. */
  const spoiled = new Set<string>()
  let faults = 0
  /** The host that caused the event that triggered the fault that begins. */
  let struck: Host | undefined
  /** The candidate that was appointed last. */
  let appointed: string | undefined
  /** The election whose commits are awaited by races and triggers. */
  let awaited = elections[0]!

  /** The election that is struck: often that which is awaited. */
  const anyElection = (): SimulatedElection =>
    elections.length === 1 || struck !== undefined || random.happens(0.5) ? awaited : random.pick(elections)

  const after = (seconds: number, run: () => void) => scheduler.after(Math.round(seconds * second), run)

  /** Schedules a fault. Without another trigger, the target `leader` is the process `by`. */
  const arrange = (fault: Fault, by?: string): void => {
    const { trigger } = fault
    after(fault.at, () => {
      if (trigger === undefined) return begin(fault, by)
      const late = after(longestWait, () => {
        stop()
        begin(fault)
      })
      const stop = triggers.next(trigger, (by) => {
        late.run = undefined
        begin(fault, by)
      })
    })
  }

  const begin = (fault: Fault, by?: string): void => {
    struck = by === undefined ? undefined : hosts.find(({ present }) => present?.process.name === by)
    const effect = effects[fault.kind] as (fault: Fault) => unknown
    effect(fault)
    struck = undefined
  }

  /** Admits a commit that has arrived, and those that wait for it; or keeps it back. */
  const order = (kind: CommitKind, by: string, admit: () => void): void => {
    const keepBack = (queue: Array<() => void>): void => {
      log.add(by, "fault", { kind: "late-commit" })
      queue.push(admit)
    }
    const met = [...held].filter(({ until }) => until === kind)
    const race = met.length > 0 ? undefined : [...races].find(({ commit }) => commit === kind)
    if (race !== undefined) {
      races.delete(race)
      for (const fault of race.meanwhile) arrange(fault, by)
      if (race.until !== undefined) {
        const queue: HeldCommit["queue"] = []
        const own: HeldCommit = {
          ...race,
          queue,
          admit: () => {
            if (held.delete(own)) { for (const admitNext of queue) admitNext() }
          }
        }
        keepBack(queue)
        held.add(own)
        after(longestHold, own.admit)
        return
      }
    }
    const ahead = met.length > 0 ? undefined : [...held].find(({ commit }) => commit === kind)
    if (ahead !== undefined) return keepBack(ahead.queue)
    for (const { admit, place } of met) if (place === "before") admit()
    admit()
    for (const { admit, place } of met) {
      if (place === "behind") admit()
      // By then the batch that is open now has been written.
      else if (place === "later") scheduler.after(database.rates.batch + database.rates.logging, admit)
    }
  }

  database.atArrival = ({ by, mutations }, admit) => {
    if (!triggers.isAwaited && races.size === 0 && held.size === 0) return admit()
    const kind = awaited.commitKind(mutations)
    if (kind === undefined) return admit()
    if (kind === "appointment") appointed = appointedIn(awaited, mutations)
    order(kind, by, admit)
    triggers.fire(kind, by)
  }

  const leaderOf = (election: SimulatedElection): Host | undefined => hosts.find((host) => host.leads(election))

  const hostOf = (target: Target): Host =>
    target === "leader"
      ? struck ?? leaderOf(anyElection()) ?? random.pick(hosts)
      : target === "appointed"
      ? hosts.find(({ candidateId }) => candidateId === appointed) ?? random.pick(hosts)
      : hosts[target % hosts.length]!

  /** Logs a fault with a duration, and undoes it at its end. */
  const lasting = (
    fault: Fault & { readonly for: number },
    who: string,
    undo: () => unknown,
    election?: SimulatedElection
  ): void => {
    const details = { election: election?.name, number: ++faults, kind: fault.kind }
    log.add(who, "fault-begins", details)
    after(fault.for, () => {
      undo()
      log.add(who, "fault-ends", details)
    })
  }

  const restart = (host: Host, seconds: number, options: StartOptions): unknown =>
    after(seconds, () => {
      if (host.present === undefined) host.start(options)
      else if (host.present.isStopping) restart(host, 0.1, options)
    })

  const changeRates = (): void => {
    database.rates = [...storms].reduce((rates, storm) => ({ ...rates, ...storm.rates }), calm)
  }

  /** An operator acts in an election, after an earlier action if one is given. It retries a few times, or until the action is done. */
  const operate = <A, E>(
    election: SimulatedElection,
    what: string,
    details: Details,
    act: Effect.Effect<A, E | FdbError, Transaction>,
    options: { readonly after?: Act; readonly always?: boolean; readonly done?: () => void } = {}
  ): Act => {
    log.add("operator", what, { election: election.name, ...details })
    const attempt = (left: number): Effect.Effect<void, never, Database> =>
      Database.transact(act, { idempotent: true }).pipe(
        Effect.exit,
        Effect.flatMap((exit) =>
          exit._tag === "Success"
            ? Effect.sync(() => {
              log.add("operator", "done", { election: election.name, what })
              options.done?.()
            })
            : left > 0
            ? Effect.andThen(Effect.sleep("1 second"), attempt(left - 1))
            : Effect.sync(() => log.add("operator", "gives-up", { election: election.name, what }))
        )
      )
    const attempts = attempt(options.always === true ? Number.POSITIVE_INFINITY : fewAttempts)
    const before = options.after === undefined ? Effect.void : Fiber.await(options.after)
    return operator.process.fork(operator.context, Effect.andThen(before, attempts))
  }

  const changeConfig = ({ handle }: SimulatedElection, change: (config: ElectionConfig) => ElectionConfig) =>
    Effect.flatMap(handle.readConfig, (config) => handle.writeConfig(change(config)))

  const enable = (election: SimulatedElection, electionEnabled: boolean) =>
    changeConfig(election, (config) => new ElectionConfig({ ...config, electionEnabled }))

  const freeze = (fault: Fault<"freeze" | "suspend" | "stall">): void => {
    const host = hostOf(fault.target)
    const name = host.present?.process.name
    const thaw = host.freeze(fault.kind === "suspend")
    if (thaw !== undefined && name !== undefined) lasting(fault, name, thaw)
  }

  /** What each kind of fault does. */
  const effects: { readonly [kind in Fault["kind"]]: (fault: Fault<kind>) => unknown } = {
    storm: (fault) => {
      storms.add(fault)
      changeRates()
      lasting(fault, "simulation", () => {
        storms.delete(fault)
        changeRates()
      })
    },
    partition: (fault) => {
      for (const target of fault.targets) {
        const { present } = hostOf(target)
        if (present === undefined) continue
        present.link.cut(fault.cut)
        lasting(fault, present.process.name, () => present.link.heal(fault.cut))
      }
    },
    fade: (fault) => {
      const { present } = hostOf(fault.target)
      if (present === undefined) return
      const { link, process } = present
      link.delay = Math.round(fault.delay * second)
      after(fault.for / 2, () => link.cut("both"))
      lasting(fault, process.name, () => {
        link.delay = 0
        link.heal("both")
      })
    },
    outage: (fault) => {
      database.goDown(fault.versions > 0)
      lasting(fault, "simulation", () => database.recover(fault.versions))
    },
    freeze,
    suspend: freeze,
    stall: freeze,
    replace: ({ kind, target }) => {
      const { present } = hostOf(target)
      if (present === undefined) return
      log.add(present.process.name, "fault", { kind })
      present.link.replace()
    },
    jump: ({ by, kind, target }) => {
      const host = hostOf(target)
      log.add(host.present?.process.name ?? host.name, "fault", { kind, by })
      host.jump(by)
    },
    crash: ({ keepsId, kind, restart: pause, target }) => {
      const host = hostOf(target)
      log.add(host.present?.process.name ?? host.name, "fault", { kind })
      host.crash()
      restart(host, pause, { keepsId })
    },
    lose: ({ keepsId, kind, restart: pause, target }) => {
      const { plan: { machine } } = hostOf(target)
      for (const host of hosts) {
        if (machine === undefined || host.plan.machine !== machine) continue
        log.add(host.present?.process.name ?? host.name, "fault", { kind })
        host.crash()
        restart(host, pause, { keepsId })
      }
    },
    sever: ({ kind, target }) => {
      const { present } = hostOf(target)
      if (present?.witness === undefined) return
      log.add(present.process.name, "fault", { kind })
      present.witness.drop()
    },
    unwitness: ({ kind, target }) => {
      const { present } = hostOf(target)
      if (present?.witness === undefined) return
      log.add(present.process.name, "fault", { kind })
      present.witness.close()
    },
    stop: ({ keepsId, priority, restart: pause, target }) => {
      const host = hostOf(target)
      host.stop()
      restart(host, pause, { keepsId, priority })
    },
    deploy: ({ each, priority }) => {
      log.add("operator", "deploys", { priority })
      hosts.forEach((host, index) =>
        after(index * each, () => {
          host.stop()
          restart(host, each / 2, { keepsId: true, priority })
        })
      )
    },
    prioritize: ({ priority, target }) => hostOf(target).prioritize(priority),
    resign: () => {
      const election = anyElection()
      leaderOf(election)?.resign(election)
    },
    duplicate: (fault) => {
      const double = stage.double(hostOf(fault.target))
      double.start({ keepsId: true })
      lasting(fault, double.name, () => double.retire())
    },
    configure: ({ config }) => {
      const election = anyElection()
      operate(
        election,
        "configures",
        { ...config },
        changeConfig(election, ({ electionEnabled }) => toElectionConfig(config, electionEnabled))
      )
    },
    disable: (fault) => {
      const election = anyElection()
      const disabling = operate(election, "disables", {}, enable(election, false))
      const undo = () => operate(election, "enables", {}, enable(election, true), { after: disabling, always: true })
      lasting(fault, "operator", undo, election)
    },
    "step-down": () => {
      const election = anyElection()
      operate(election, "asks-to-step-down", {}, election.handle.requestStepDown)
    },
    evict: () => {
      const election = anyElection()
      operate(election, "evicts", {}, election.handle.evictDeadCandidates)
    },
    raise: ({ by }) => {
      const election = anyElection()
      let above = -1n
      const look = Effect.map(election.handle.export, ({ ballot }) => {
        above = ballot + BigInt(by)
      })
      // Not in one transaction, which would conflict with what it has read.
      const looking = operate(election, "looks", {}, look)
      const raise = Effect.suspend(() => above < 0n ? Effect.void : Effect.asVoid(election.handle.raiseTerms(above)))
      operate(election, "raises-terms", { by }, raise, { after: looking })
    },
    /** Writes garbage into a record, and later restores its value. */
    garbage: (fault) => {
      const { record } = fault
      const election = anyElection()
      const key = election.subspace.pack(
        record === "candidate" ? ["candidates", random.pick(hosts).candidateId] : [record]
      )
      const bytes = random.happens(0.5)
        ? Uint8Array.from({ length: random.between(0, 20) }, () => random.between(0, 255))
        : Tuple.pack([BigInt(random.between(2, 9)), "of a newer version"])
      const name = Bytes.toHex(key)
      if (spoiled.has(name)) return
      spoiled.add(name)
      let before: Uint8Array | undefined
      const spoil = Effect.gen(function*() {
        const tx = yield* Transaction
        const found = yield* tx.get(key)
        if (found !== undefined && Bytes.equals(found, bytes)) return
        before = found
        yield* conflictWithRenewals(election)
        yield* tx.set(key, bytes)
      })
      const repair = Effect.gen(function*() {
        const tx = yield* Transaction
        const found = yield* tx.get(key)
        if (found === undefined || !Bytes.equals(found, bytes)) return
        yield* conflictWithRenewals(election)
        yield* before === undefined ? tx.clear(key) : tx.set(key, before)
      })
      const spoiling = operate(election, "spoils", { record }, spoil)
      const done = () => spoiled.delete(name)
      lasting(
        fault,
        "operator",
        () => operate(election, "repairs", { record }, repair, { after: spoiling, always: true, done }),
        election
      )
    },
    /** Writes a challenge that no candidate would: of a priority that may be too low, or to another term. */
    forge: ({ priority }) => {
      const otherTerm = random.happens(0.3)
      const election = anyElection()
      const forge = Effect.gen(function*() {
        const tx = yield* Transaction
        const leader = yield* election.handle.getLeaderRaw
        if (leader._tag === "None") return
        const { registration, term } = leader.value
        const challenge = Tuple.pack([1n, otherTerm ? term + 1n : term, "nobody", BigInt(priority), registration])
        yield* tx.set(election.subspace.pack(["challenge"]), challenge)
      })
      operate(election, "forges", { priority }, forge)
    },
    /** Claims unless that shortens the lease: followers of the usurper must not wait less than the leader believes. */
    usurp: () => {
      const election = anyElection()
      const { handle } = election
      const registering = operate(election, "registers", {}, Effect.asVoid(handle.registerCandidate("usurper", 100)))
      const claim = Effect.gen(function*() {
        const { leaseDuration } = yield* handle.readConfig
        const leader = yield* handle.getLeaderRaw
        if (Option.isNone(leader) || Duration.isGreaterThan(leader.value.leaseDuration, leaseDuration)) return
        yield* handle.tryClaimLeadership("usurper", 100)
      })
      operate(election, "usurps", {}, claim, { after: registering })
    },
    "resign-late": (fault) => {
      let old: Option.Option<LeaderState> = Option.none()
      const election = anyElection()
      const { handle } = election
      const look = Effect.map(handle.getLeaderRaw, (state) => {
        old = state
      })
      const looking = operate(election, "looks", {}, look)
      const resign = Effect.gen(function*() {
        const now = yield* handle.getLeaderRaw
        if (Option.isNone(old) || Option.isNone(now) || now.value.term === old.value.term) return
        yield* handle.resignLeadership(old.value)
      })
      after(fault.for, () => operate(election, "resigns-late", {}, resign, { after: looking }))
    },
    race: (fault) => {
      if (elections.length > 1 && races.size === 0 && held.size === 0) {
        awaited = fault.commit === "table" ? elections[0]! : random.pick(elections)
      }
      races.add(fault)
      after(fault.for, () => races.delete(fault))
    }
  }

  return arrange
}
