/**
 * The witnesses of one machine. Each process is connected with every other, as over sockets: what one tells comes to the other in order,
 * some time later, when that runs. When a process has died, the kernel ends its connections, late or for one of them never.
 */
import { Testimony, Witness, type WitnessService } from "@effect-fdb/core"
import type { EventLog } from "./EventLog.ts"
import { type EventScheduler, millisecond, second } from "./EventScheduler.ts"
import type { SeededRandom } from "./internal/seededRandom.ts"
import type { SimulatedProcess } from "./SimulatedProcess.ts"

/** How often the end of a connection is not told at all, and how often seconds late: else within milliseconds. */
const lost = 0.15
const late = 0.2
const latest = 6 * second

type Listener = (testimony: Testimony.Testimony) => void

/** What one process knows of another. */
interface Connection {
  readonly from: Peer
  readonly to: Peer
  /** What has been sent, and not been received. */
  readonly messages: Array<() => void>
  /** No message overtakes another. */
  lastAt: number
  /** It has ended, by a goodbye or otherwise. What comes later is dropped. */
  hasEnded: boolean
  readonly told: Set<Testimony.Testimony>
}

/** The witness of a process. */
class Peer {
  readonly process: SimulatedProcess
  readonly machine: Machine
  readonly told = new Map<Testimony.Testimony, number>()
  readonly connections = new Map<Peer, Connection>()
  readonly listeners = new Set<Listener>()
  private readonly dead = new Set<Testimony.Testimony>()
  private readonly random: SeededRandom
  isOpen = true

  constructor(process: SimulatedProcess, machine: Machine) {
    this.process = process
    this.machine = machine
    this.random = process.scheduler.random(`witness/${process.name}`)
  }

  /** The kernel: it accepts for a process that is frozen, too, and refuses for one that has died or closed its socket. */
  get refuses(): boolean {
    return !this.process.isAlive || !this.isOpen
  }

  /** A message over the connection to another process, unless that has ended. */
  send(connection: Connection, receive: () => void, delay = this.latency()): void {
    const { messages, to } = connection
    const { scheduler } = this.process
    const at = connection.lastAt = Math.max(connection.lastAt, scheduler.now + Math.ceil(delay))
    scheduler.at(at, () => {
      messages.push(receive)
      to.process.post(() => {
        const next = messages.shift()
        if (!connection.hasEnded) next?.()
      })
    })
  }

  /** Connects, and tells everything that it tells. */
  connect(to: Peer): void {
    const connection: Connection = {
      from: this,
      to,
      messages: [],
      lastAt: 0,
      hasEnded: false,
      told: new Set()
    }
    this.connections.set(to, connection)
    for (const testimony of this.told.keys()) this.send(connection, () => connection.told.add(testimony))
  }

  /** The kernel ends its connections. Each of the others is told some time later, or not at all. */
  die(): void {
    for (const connection of this.connections.values()) {
      const delay = this.random.first([[lost, undefined], [late, this.random.between(0, latest)]] as const)
      if (this.random.happens(lost)) continue
      this.send(
        connection,
        () => this.ended(connection),
        delay ?? this.latency() + this.random.exponential(10 * millisecond)
      )
    }
  }

  /** The connection has ended without a goodbye. */
  private ended(connection: Connection): void {
    connection.hasEnded = true
    const { to } = connection
    // Only who has died refuses: another connection of one that lives is made.
    if (this.refuses) to.hears(connection.told)
    else this.connect(to)
  }

  /** A connection is lost, though both processes live. */
  drop(): void {
    for (const connection of this.connections.values()) this.send(connection, () => this.ended(connection))
  }

  /** It says goodbye, and its process goes on. */
  close(): void {
    for (const connection of this.connections.values()) {
      this.send(connection, () => {
        connection.hasEnded = true
        connection.told.clear()
      })
    }
    this.isOpen = false
    this.connections.clear()
  }

  private hears(testimonies: ReadonlySet<Testimony.Testimony>): void {
    for (const testimony of testimonies) {
      this.dead.add(testimony)
      this.machine.log.add(this.process.name, "hears-of-death", {
        testimony: testimony.slice(testimony.indexOf("/") + 1)
      })
    }
    for (const testimony of testimonies) for (const listener of this.listeners) listener(testimony)
  }

  private latency(): number {
    return 0.1 * millisecond + this.random.exponential(0.2 * millisecond)
  }

  private count(testimony: Testimony.Testimony, change: number): void {
    const count = (this.told.get(testimony) ?? 0) + change
    if (count > 0) this.told.set(testimony, count)
    else this.told.delete(testimony)
    if (count === 1 && change > 0) this.tellAll((connection) => connection.told.add(testimony))
    if (count === 0) this.tellAll((connection) => connection.told.delete(testimony))
  }

  private tellAll(receive: (connection: Connection) => void): void {
    for (const connection of this.connections.values()) this.send(connection, () => receive(connection))
  }

  /** Those that tell it something. */
  private get others(): ReadonlyArray<Connection> {
    return this.machine.peers.flatMap(({ connections }) => connections.get(this) ?? [])
  }

  readonly service: WitnessService = Witness.fromRegistry({
    tell: (testimony) => {
      this.count(testimony, 1)
      return () => this.count(testimony, -1)
    },
    hasDied: (testimony) => this.dead.has(testimony),
    onDeath: (listener) => {
      this.listeners.add(listener)
      return () => void this.listeners.delete(listener)
    },
    witnesses: (testimony) =>
      this.told.has(testimony)
        ? this.connections.size
        : this.others.filter(({ told }) => told.has(testimony)).length,
    living: (election) =>
      [...this.told.keys(), ...this.others.flatMap(({ hasEnded, told }) => hasEnded ? [] : [...told])]
        .filter((testimony) => Testimony.electionOf(testimony) === election).toSorted()
  })
}

export type SimulatedWitness = Peer

/** A machine, with the processes that it runs. */
export class Machine {
  readonly scheduler: EventScheduler
  readonly log: EventLog
  peers: Array<Peer> = []

  constructor(scheduler: EventScheduler, log: EventLog) {
    this.scheduler = scheduler
    this.log = log
  }

  /** The witness of a process that starts. */
  start(process: SimulatedProcess): Peer {
    const peer = new Peer(process, this)
    for (const other of this.peers) {
      if (other.refuses) continue
      peer.connect(other)
      other.connect(peer)
    }
    this.peers.push(peer)
    process.whenKilled(() => {
      this.peers = this.peers.filter((other) => other !== peer)
      peer.die()
    })
    return peer
  }
}
