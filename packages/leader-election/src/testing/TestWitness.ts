/**
 * The witnesses of one host in a test: processes that tell each other their candidates, and are told when one of them has ended.
 *
 * A test ends a process, and decides when the others are told, or that they never are. Nothing here waits, and nothing asks a clock.
 */
import { Testimony, Witness, type WitnessService } from "@effect-fdb/core"
import * as Effect from "effect/Effect"

/**
 * A process of the host. Provide its `witness` to its candidates, as `Witness`.
 *
 * @since 0.1.0
 * @category models
 */
export interface TestProcess {
  readonly witness: typeof Witness.Service
  /** It ends, as by `kill -9`; its candidates have to be stopped by the test. Those that were there are told. Once. */
  readonly end: Effect.Effect<void>
  /** It closes its witness, and goes on: all that it has told is taken back, and it is told nothing more. */
  readonly close: Effect.Effect<void>
}

/**
 * The end of a process that another is to be told of.
 *
 * @since 0.1.0
 * @category models
 */
export interface Death {
  readonly of: TestProcess
  readonly to: TestProcess
  /** Tells it. To be called once, at any time, or never. */
  readonly tell: () => void
}

/**
 * The witnesses of a host.
 *
 * @since 0.1.0
 * @category models
 */
export interface TestWitness {
  /** A process more, which is connected with all that go on. */
  readonly start: Effect.Effect<TestProcess>
  /** From now on nobody is told of an end. */
  readonly hold: Effect.Effect<void>
  /** Tells what was held back, and all that follows at once. */
  readonly release: Effect.Effect<void>
}

/**
 * The options of a host.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Decides when a process is told of an end. The default tells it at once. */
  readonly deliver?: ((death: Death) => void) | undefined
}

class Process implements TestProcess {
  isOpen = true
  /** How often each candidate is told: a scope may be closed after the next has told the same. */
  readonly told = new Map<Testimony.Testimony, number>()
  private readonly dead = new Set<Testimony.Testimony>()
  private readonly listeners = new Set<(testimony: Testimony.Testimony) => void>()
  private readonly host: Host
  readonly witness: WitnessService

  constructor(host: Host) {
    this.host = host
    this.witness = Witness.fromRegistry({
      tell: (testimony) => {
        this.count(testimony, 1)
        return () => this.count(testimony, -1)
      },
      hasDied: (testimony) => this.dead.has(testimony),
      onDeath: (listener) => {
        this.listeners.add(listener)
        return () => void this.listeners.delete(listener)
      },
      witnesses: (testimony) => {
        const teller = host.open.find((process) => process.told.has(testimony))
        return this.isOpen && teller !== undefined ? host.open.length - 1 : 0
      },
      living: (election) =>
        (this.isOpen ? host.open : [this]).flatMap(({ told }) => [...told.keys()])
          .filter((testimony) => Testimony.electionOf(testimony) === election).toSorted()
    })
  }

  private count(testimony: Testimony.Testimony, change: number): void {
    const count = (this.told.get(testimony) ?? 0) + change
    if (count > 0) this.told.set(testimony, count)
    else this.told.delete(testimony)
  }

  private hears(testimonies: ReadonlyArray<Testimony.Testimony>): void {
    if (!this.isOpen) return
    const news = testimonies.filter((testimony) => !this.dead.has(testimony))
    for (const testimony of news) this.dead.add(testimony)
    for (const testimony of news) for (const listener of this.listeners) listener(testimony)
  }

  readonly end = Effect.sync(() => {
    if (!this.isOpen) return
    this.isOpen = false
    const testimonies = [...this.told.keys()]
    for (const to of this.host.open) this.host.deliver({ of: this, to, tell: () => to.hears(testimonies) })
  })

  readonly close = Effect.sync(() => {
    this.isOpen = false
  })
}

class Host implements TestWitness {
  readonly processes: Array<Process> = []
  readonly deliver: (death: Death) => void
  private held: Array<Death> | undefined = undefined

  constructor(deliver: (death: Death) => void) {
    this.deliver = (death) => this.held === undefined ? deliver(death) : void this.held.push(death)
  }

  get open(): ReadonlyArray<Process> {
    return this.processes.filter(({ isOpen }) => isOpen)
  }

  readonly start = Effect.sync(() => {
    const process = new Process(this)
    this.processes.push(process)
    return process
  })

  readonly hold = Effect.sync(() => {
    this.held ??= []
  })

  readonly release = Effect.sync(() => {
    const { held = [] } = this
    this.held = undefined
    for (const death of held) this.deliver(death)
  })
}

/**
 * Makes the witnesses of a host.
 *
 * **Example**
 *
 * ```ts
 * import { Testimony, Versionstamp } from "@effect-fdb/core"
 * import * as TestWitness from "@effect-fdb/leader-election/testing/TestWitness"
 * import { Console, Effect } from "effect"
 *
 * const testimony = Testimony.make("1501", "web-1", Versionstamp.make(new Uint8Array(10)))
 *
 * export const main = Effect.gen(function*() {
 *   const { start } = TestWitness.make()
 *   const [leader, follower] = [yield* start, yield* start]
 *   yield* leader.witness.tell(testimony)
 *   yield* leader.end
 *   yield* Console.log(follower.witness.hasDied(testimony)) // => true
 * }).pipe(Effect.scoped)
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = ({ deliver = ({ tell }) => tell() }: Options = {}): TestWitness => new Host(deliver)
