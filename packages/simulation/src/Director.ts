/**
 * Lets the episodes of a scenario happen, and ends them. Operators have a machine of their own, in good weather.
 */
import { Bytes, Database, type FdbError, Subspace, Transaction, Tuple } from "@effect-fdb/core"
import { ElectionConfig, type LeaderElection } from "@effect-fdb/leader-election"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { Cluster } from "./Cluster.ts"
import type { EventLog } from "./EventLog.ts"
import type { Host } from "./Host.ts"
import type { Chance } from "./internal/chance.ts"
import type { Machine } from "./Machine.ts"
import { type Config, type Episode, longestWait, type Target } from "./Scenario.ts"
import type { Trigger, Triggers } from "./Triggers.ts"
import { calm } from "./Weather.ts"
import { second, type World } from "./World.ts"

/** Where the elections of simulations stand. */
export const electionSubspace = Subspace.fromTuple(["simulation", "election"])

const leaderKey = electionSubspace.pack(["leader"])
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
  readonly world: World
  readonly cluster: Cluster
  readonly log: EventLog
  readonly election: LeaderElection.LeaderElection
  readonly hosts: ReadonlyArray<Host>
  readonly triggers: Triggers
  /** Makes one more host, for a double. */
  readonly double: (of: Host) => Host
  readonly operator: { readonly machine: Machine; readonly context: Context.Context<Database> }
}

/** What an operator is doing. */
type Act = Fiber.Fiber<unknown, unknown>

/** Whoever writes to an election by hand must not share the version of a renewal. */
const conflictWithRenewals = Effect.flatMap(Transaction, (tx) => tx.addReadConflictKey(leaseKey))

/** How often an operator tries something again. */
const fewAttempts = 5

export class Director {
  private readonly stage: Stage
  private readonly chance: Chance
  private storms: Array<Extract<Episode, { readonly kind: "storm" }>> = []
  private episodes = 0
  private readonly spoiled = new Set<string>()
  /** Who has brought about what has triggered the episode that begins. */
  private struck: Host | undefined = undefined

  constructor(stage: Stage) {
    this.stage = stage
    const { cluster, triggers } = stage
    cluster.atArrival = ({ by, mutations }) => {
      if (!triggers.isAwaited) return
      const writes = (key: Uint8Array) =>
        mutations.some((mutation) => mutation._tag === "Set" && Bytes.equals(mutation.key, key))
      if (writes(leaderKey)) triggers.fire("election", by)
      else if (writes(leaseKey)) triggers.fire("renewal", by)
    }
    this.chance = stage.world.chance("director")
  }

  /** Arranges an episode. */
  arrange(episode: Episode): void {
    const { trigger } = episode
    this.stage.world.at(
      Math.round(episode.at * second),
      () => trigger === undefined ? this.begin(episode) : this.beginUpon(trigger, episode)
    )
  }

  private beginUpon(trigger: Trigger, episode: Episode): void {
    const { hosts, triggers, world } = this.stage
    const late = world.after(longestWait * second, () => {
      stop()
      this.begin(episode)
    })
    const stop = triggers.next(trigger, (by) => {
      late.run = undefined
      this.struck = hosts.find(({ present }) => present?.machine.name === by)
      this.begin(episode)
      this.struck = undefined
    })
  }

  private hostOf(target: Target): Host {
    const { hosts } = this.stage
    return target === "leader"
      ? this.struck ?? hosts.find((host) => host.isLeading) ?? this.chance.pick(hosts)
      : hosts[target % hosts.length]!
  }

  /** Tells of a fault that lasts, and of its end. */
  private lasting(episode: Episode & { readonly for: number }, who: string, undo: () => unknown): void {
    const { log, world } = this.stage
    const number = ++this.episodes
    log.add(who, "fault-begins", { number, kind: episode.kind })
    world.after(Math.round(episode.for * second), () => {
      undo()
      log.add(who, "fault-ends", { number, kind: episode.kind })
    })
  }

  private begin(episode: Episode): unknown {
    const { cluster, election, log, world } = this.stage
    switch (episode.kind) {
      case "storm": {
        this.storms.push(episode)
        this.changeWeather()
        return this.lasting(episode, "world", () => {
          this.storms = this.storms.filter((storm) => storm !== episode)
          this.changeWeather()
        })
      }
      case "partition": {
        for (const target of episode.targets) {
          const present = this.hostOf(target).present
          if (present === undefined) continue
          present.link.cut(episode.cut)
          this.lasting(episode, present.machine.name, () => present.link.heal(episode.cut))
        }
        return
      }
      case "fade": {
        const present = this.hostOf(episode.target).present
        if (present === undefined) return
        const { link, machine } = present
        link.slow(Math.round(episode.delay * second))
        world.after(Math.round(episode.for / 2 * second), () => link.cut("both"))
        return this.lasting(episode, machine.name, () => {
          link.slow(0)
          link.heal("both")
        })
      }
      case "outage": {
        cluster.goDown(episode.versions > 0)
        return this.lasting(episode, "world", () => cluster.recover(episode.versions))
      }
      case "freeze":
      case "suspend":
      case "stall": {
        const host = this.hostOf(episode.target)
        const name = host.present?.machine.name
        const thaw = host.freeze(episode.kind === "suspend")
        if (thaw !== undefined && name !== undefined) this.lasting(episode, name, thaw)
        return
      }
      case "replace": {
        const present = this.hostOf(episode.target).present
        if (present === undefined) return
        log.add(present.machine.name, "fault", { kind: "replace" })
        return present.link.replace()
      }
      case "jump": {
        const host = this.hostOf(episode.target)
        log.add(host.present?.machine.name ?? host.plan.name, "fault", { kind: "jump", by: episode.by })
        return host.jump(episode.by)
      }
      case "crash": {
        const host = this.hostOf(episode.target)
        log.add(host.present?.machine.name ?? host.plan.name, "fault", { kind: "crash" })
        host.crash()
        return this.restart(host, episode.restart, { keepsId: episode.keepsId })
      }
      case "stop": {
        const host = this.hostOf(episode.target)
        host.stop()
        return this.restart(host, episode.restart, { keepsId: episode.keepsId, priority: episode.priority })
      }
      case "deploy": {
        log.add("operator", "deploys", { priority: episode.priority })
        this.stage.hosts.forEach((host, index) =>
          world.after(Math.round(index * episode.each * second), () => {
            host.stop()
            this.restart(host, episode.each / 2, { keepsId: true, priority: episode.priority })
          })
        )
        return
      }
      case "prioritize":
        return this.hostOf(episode.target).prioritize(episode.priority)
      case "resign":
        return this.hostOf("leader").resign()
      case "duplicate": {
        const double = this.stage.double(this.hostOf(episode.target))
        double.start({ keepsId: true })
        return this.lasting(episode, double.plan.name, () => double.retire())
      }
      case "configure": {
        const { candidateTimeout, heartbeat, lease, preemption } = episode.config
        return this.operate(
          "configures",
          { lease, heartbeat, candidateTimeout, preemption },
          Effect.flatMap(
            election.readConfig,
            ({ electionEnabled }) => election.writeConfig(toElectionConfig(episode.config, electionEnabled))
          )
        )
      }
      case "disable": {
        const disabling = this.operate("disables", {}, this.enable(false))
        return this.lasting(
          episode,
          "operator",
          () => this.operate("enables", {}, this.enable(true), { after: disabling, always: true })
        )
      }
      case "step-down":
        return this.operate("asks-to-step-down", {}, election.requestStepDown)
      case "evict":
        return this.operate("evicts", {}, election.evictDeadCandidates)
      case "garbage":
        return this.garbage(episode)
      case "forge":
        return this.forge(episode.priority)
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
    const { world } = this.stage
    const again = (): void => {
      if (host.isRunning) {
        if (!host.isEnding) return
        world.after(second / 10, again)
        return
      }
      host.start(options)
    }
    world.after(Math.round(seconds * second), again)
  }

  private changeWeather(): void {
    this.stage.cluster.weather = this.storms.reduce((weather, storm) => ({ ...weather, ...storm.weather }), calm)
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
    return operator.machine.fork(operator.context, Effect.andThen(before, patience))
  }

  /** Writes garbage into a record, and puts back later what stood there. */
  private garbage(episode: Extract<Episode, { readonly kind: "garbage" }>): void {
    const { election, hosts } = this.stage
    const { subspace } = election
    const key = episode.record === "candidate"
      ? subspace.pack(["candidates", this.chance.pick(hosts).candidateId])
      : subspace.pack([episode.record])
    const bytes = this.chance.happens(0.5)
      ? Uint8Array.from({ length: this.chance.between(0, 20) }, () => this.chance.between(0, 255))
      : Tuple.pack([BigInt(this.chance.between(2, 9)), "of a newer version"])
    // What is spoiled already would be put back as it is.
    const name = Bytes.toHex(key)
    if (this.spoiled.has(name)) return
    this.spoiled.add(name)
    let before: Uint8Array | undefined
    const spoiling = this.operate(
      "spoils",
      { record: episode.record },
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
      episode,
      "operator",
      () =>
        this.operate("repairs", { record: episode.record }, repair, {
          after: spoiling,
          always: true,
          done: () => this.spoiled.delete(name)
        })
    )
  }

  /** Writes a challenge that no candidate would: of a priority that may be too low, or to another term. */
  private forge(priority: number): void {
    const { election } = this.stage
    const otherTerm = this.chance.happens(0.3)
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
