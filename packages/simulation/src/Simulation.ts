/**
 * Runs a scenario: a world with a cluster, hosts and operators, from its beginning to its end, as a synchronous
 * computation.
 */
import { Database, KeyRange, KeySelector } from "@effect-fdb/core"
import { LeaderElection, type Leadership } from "@effect-fdb/leader-election"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Cluster } from "./Cluster.ts"
import { Director, electionSubspace, toElectionConfig } from "./Director.ts"
import { EventLog } from "./EventLog.ts"
import * as FaultyEngine from "./FaultyEngine.ts"
import type { History } from "./History.ts"
import { Host, type Plan } from "./Host.ts"
import { Link } from "./Link.ts"
import { Machine } from "./Machine.ts"
import type { ProcessPlan, Scenario } from "./Scenario.ts"
import { Sink } from "./Sink.ts"
import { Triggers } from "./Triggers.ts"
import * as Workload from "./Workload.ts"
import { Livelock, second, World } from "./World.ts"

/** What a process does while it leads, where it is not the workload of the scenario. */
type Work = (
  machine: Machine,
  plan: ProcessPlan
) => (leadership: Leadership) => Effect.Effect<void, unknown, Database | Leadership | Scope.Scope>

/** What may be other than the scenario says. */
export interface Options {
  /** Is run instead of the scenario's workload. */
  readonly work?: Work | undefined
}

/** Reads everything, past all faults. */
const readAll = (cluster: Cluster): History["stored"] => {
  const transaction = cluster.begin()
  const { begin, end } = KeyRange.all
  const page = Effect.runSync(
    transaction.getPage(KeySelector.firstGreaterOrEqual(begin), KeySelector.firstGreaterOrEqual(end), {
      limit: 0,
      reverse: false,
      snapshot: true,
      mode: "all"
    })
  )
  Effect.runSync(transaction.dispose)
  return page.values
}

/** Runs a scenario to its end. */
export const run = (scenario: Scenario, options: Options = {}): History => {
  const world = new World(scenario.seed)
  const log = new EventLog(world)
  const cluster = new Cluster(world, log)
  const election = LeaderElection.make(electionSubspace)
  const triggers = new Triggers()
  const sink = new Sink(world, log, triggers)
  const work: Work = options.work ?? ((machine, { work }) => Workload.make({ machine, log, sink }, work))

  const planOf = (plan: ProcessPlan, name: string): Plan => ({
    name,
    id: plan.id,
    priority: plan.priority,
    drift: plan.drift,
    wallOffset: plan.wallOffset,
    margin: plan.margin === undefined
      ? undefined
      : Duration.millis(Math.round(plan.margin * scenario.config.lease * 1000)),
    work: (machine) => work(machine, plan)
  })
  const surroundings = { world, cluster, log, election }
  const hosts = scenario.processes.map((plan) => new Host(planOf(plan, plan.id), surroundings))

  const operator = new Machine(world, "operator", { rate: 1, wallOffset: 0, booted: 0 })
  const context = Context.make(Database, Database.fromEngine(FaultyEngine.make(new Link(operator, cluster))))
  const initialize = Effect.eventually(
    Effect.tapError(
      Database.transact(election.initialize(toElectionConfig(scenario.config)), { idempotent: true }),
      () => Effect.sleep("1 second")
    )
  )
  log.add("world", "begins", { profile: scenario.profile, seed: scenario.seed })
  operator.fork(context, initialize)
  hosts.forEach((host, index) => {
    // Nobody starts before the election is set up.
    const starts = 1 + scenario.processes[index]!.starts
    world.at(Math.round(starts * second), () => host.start({ keepsId: true }))
  })

  let doubles = 0
  const director = new Director({
    world,
    cluster,
    log,
    election,
    hosts,
    triggers,
    double: (of) => {
      const plan = scenario.processes[hosts.indexOf(of)] ?? scenario.processes[0]!
      return new Host(planOf({ ...plan, id: of.candidateId }, `d${++doubles}`), surroundings)
    },
    operator: { machine: operator, context }
  })
  for (const episode of scenario.episodes) director.arrange(episode)
  world.at(Math.round(scenario.quietAt * second), () => log.add("world", "quiet"))

  const end = Math.round(scenario.duration * second)
  // Errors are values here, by the thousand; nobody reads their stack traces.
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    world.run(end)
  } catch (error) {
    if (!(error instanceof Livelock)) throw error
    log.add("world", "livelock")
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
  log.add("world", "ends")
  return {
    scenario,
    events: log.events,
    record: cluster.record,
    stored: readAll(cluster),
    quietAt: Math.round(scenario.quietAt * second),
    endedAt: world.now
  }
}
