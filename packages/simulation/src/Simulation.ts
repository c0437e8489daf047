/** Runs a scenario from its beginning to its end, as a synchronous computation. */
import { Database, KeyRange, Transaction } from "@effect-fdb/core"
import { LeaderElection } from "@effect-fdb/leader-election"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { EventLog } from "./EventLog.ts"
import { EventScheduler, Livelock, second } from "./EventScheduler.ts"
import * as FaultyEngine from "./FaultyEngine.ts"
import type { History } from "./History.ts"
import { makeHost } from "./Host.ts"
import { makeCommitKind } from "./internal/commitKind.ts"
import { electionsOf } from "./internal/elections.ts"
import { Link } from "./Link.ts"
import { makeNemesis, toElectionConfig } from "./Nemesis.ts"
import type { Scenario } from "./Scenario.ts"
import { SimulatedDatabase } from "./SimulatedDatabase.ts"
import { SimulatedProcess } from "./SimulatedProcess.ts"
import { Machine } from "./SimulatedWitness.ts"
import { makeSink } from "./Sink.ts"
import { Triggers } from "./Triggers.ts"
import * as Workload from "./Workload.ts"

export interface Options {
  /** Replaces the workload of the scenario. */
  readonly work?: Workload.Workload | undefined
}

/** Reads everything, without faults. */
const readAll = ({ engine }: SimulatedDatabase): History["stored"] => {
  const read = Database.transact(Effect.flatMap(Transaction, (tx) => tx.getRange(KeyRange.all)))
  return Effect.runSync(Effect.provideService(read, Database, Database.fromEngine(engine)))
}

export const run = (scenario: Scenario, options: Options = {}): History => {
  const scheduler = new EventScheduler(scenario.seed)
  const log = new EventLog(scheduler)
  const database = new SimulatedDatabase(scheduler, log)
  const elections = electionsOf(scenario).map((election) => {
    return { ...election, handle: LeaderElection.make(election.subspace), commitKind: makeCommitKind(election) }
  })
  const triggers = new Triggers()
  const work = options.work ?? Workload.make(log, makeSink(scheduler, log, triggers))
  const { as = "elections" } = scenario.elections ?? {}
  const machines = Array.from(
    { length: Math.max(0, ...scenario.processes.map(({ machine = -1 }) => machine + 1)) },
    () => new Machine(scheduler, log)
  )
  const environment = { scheduler, database, log, elections, as, work, machines, lease: scenario.config.lease }
  const hosts = scenario.processes.map((plan) => makeHost(plan.id, plan, environment))
  const operator = new SimulatedProcess(scheduler, "operator", { rate: 1, wallOffset: 0, booted: 0 })
  const context = Context.make(Database, Database.fromEngine(FaultyEngine.make(new Link(operator, database))))
  const initialize = Effect.eventually(
    Effect.tapError(
      Database.transact(
        Effect.forEach(elections, ({ handle }) => handle.initialize(toElectionConfig(scenario.config))),
        { idempotent: true }
      ),
      () => Effect.sleep("1 second")
    )
  )
  log.add("simulation", "begins", { profile: scenario.profile, seed: scenario.seed })
  operator.fork(context, initialize)
  for (const host of hosts) {
    // Nobody starts before the election is set up.
    scheduler.at(Math.round((1 + host.plan.starts) * second), () => host.start({ keepsId: true }))
  }

  let doubles = 0
  const arrange = makeNemesis({
    ...environment,
    hosts,
    triggers,
    double: ({ candidateId, plan }) => makeHost(`d${++doubles}`, { ...plan, id: candidateId }, environment),
    operator: { process: operator, context }
  })
  for (const fault of scenario.faults) arrange(fault)
  scheduler.at(Math.round(scenario.quietAt * second), () => log.add("simulation", "quiet"))

  const end = Math.round(scenario.duration * second)
  // A history makes thousands of errors. Their stack traces cost time and are not used.
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    scheduler.run(end)
  } catch (error) {
    if (!(error instanceof Livelock)) throw error
    log.add("simulation", "livelock")
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
  log.add("simulation", "ends")
  return {
    scenario,
    events: log.events,
    record: database.record,
    stored: readAll(database),
    quietAt: Math.round(scenario.quietAt * second),
    endedAt: scheduler.now
  }
}
