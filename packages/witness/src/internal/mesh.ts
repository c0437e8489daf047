/**
 * The processes of a directory, each connected with each other. A process listens on a socket there, under a random name, and connects
 * with all that it finds.
 *
 * **When a process counts as dead.** All of this has been seen, in this order:
 *
 * 1. A connection on which it has told the candidate has ended, and neither side has meant to end it. The kernel does this at the end
 *    of a process, after the end of all its threads. But Node, too, may close a connection, and the process lives on.
 * 2. Its own socket *refuses* a connection: nobody listens, although its file is there. As long as the process lives, it listens.
 * 3. The file is still there. A process that stops to listen without ending removes it first.
 * 4. The operating system does not list a thread of the process as running, where it tells this one. A thread that the kernel is ending
 *    does not run any more.
 *
 * Everything else (no file, a time-out, too many connections, a refusal without a connection before it) is no evidence.
 */
import * as Testimony from "@effect-fdb/core/Testimony"
import * as fs from "node:fs"
import * as net from "node:net"
import * as path from "node:path"
import { Connection, type Ending, type Peer } from "./connection.ts"
import { isName, makeName } from "./directory.ts"
import { encode, maxLineLength } from "./message.ts"
import { isSeen, type ProcessIdentity } from "./processIdentity.ts"

/** The interval in which a process looks for others that it has no connection with, and shows that its own socket is in use. */
const scanMillis = 15_000
/** The socket of a dead process is left so long, because others may not have seen yet that it refuses. */
const removalMillis = 60_000
/** The longest pause between two attempts to connect with a process that may have died; it is in force for about a minute. */
const maxPauseMillis = 250
const maxQuickAttempts = 250
/** The longest pause for any other process. */
const slowPauseMillis = 10_000
/** A connection that ends sooner does not start the pauses anew. */
const lastingMillis = 1000
/** The number of deaths that are remembered. An older one is one for the lease, which has lapsed long ago. */
const maxDead = 10_000
/** The number of times that the process begins to listen again because its socket's file was removed. */
const maxListenings = 10

type Listener = (testimony: string) => void

/** Another process. */
interface Other {
  readonly name: string
  /** The connection over which it has said which process it is. */
  connection: Connection | undefined
  process: ProcessIdentity | undefined
  connecting: net.Socket | undefined
  /** What it told on a connection that has ended since. */
  lost: ReadonlySet<string>
  attempts: number
  connectedAt: number
  timer: NodeJS.Timeout | undefined
}

const isThere = (file: string): boolean => {
  try {
    return fs.lstatSync(file).isSocket()
  } catch {
    return false
  }
}

/**
 * Makes Node open its descriptor of `inotify`, if it has not yet. When a process ends, Linux closes the newest descriptors first, and that
 * one takes it many milliseconds: the socket, and the connections, are to be gone before.
 */
const openInotify = (directory: string): void => {
  try {
    fs.watch(directory, { persistent: false }).on("error", () => {}).close()
  } catch {
    // Then a death is told later.
  }
}

const pauseMillis = ({ attempts, lost }: Other): number => {
  const isQuick = lost.size > 0 && attempts < maxQuickAttempts
  return Math.min(2 ** attempts, isQuick ? maxPauseMillis : slowPauseMillis)
}

const groupByElection = (testimonies: Iterable<string>): ReadonlyMap<string, ReadonlyArray<string>> => {
  const groups = new Map<string, Array<string>>()
  for (const testimony of testimonies) {
    const election = Testimony.electionOf(testimony)
    const group = groups.get(election)
    if (group === undefined) groups.set(election, [testimony])
    else group.push(testimony)
  }
  return groups
}

export class Mesh {
  readonly directory: string
  private name = ""
  private server: net.Server | undefined = undefined
  private listenings = 0
  private isClosed = false
  private scanning: NodeJS.Timeout | undefined = undefined
  private readonly others = new Map<string, Other>()
  private readonly connections = new Set<Connection>()
  /** How often each candidate is told now. */
  private readonly told = new Map<string, number>()
  /** What {@link alive} gives; `undefined` after a change. */
  private byElection: ReadonlyMap<string, ReadonlyArray<string>> | undefined = undefined
  private readonly dead = new Set<string>()
  private readonly listeners = new Set<Listener>()

  constructor(directory: string) {
    this.directory = directory
  }

  /** Listens, and connects with all processes of the directory. */
  async open(): Promise<void> {
    await this.listen()
    this.scanning = setInterval(() => this.scan(), scanMillis).unref()
    this.connectAll()
  }

  /** The end of this process is the death of this candidate, until the returned function is called. */
  tell(testimony: string): () => void {
    if (this.isClosed || encode({ tell: testimony }).length > maxLineLength) return () => {}
    this.changeTold(testimony, 1)
    return () => this.changeTold(testimony, -1)
  }

  private changeTold(testimony: string, by: number): void {
    const count = (this.told.get(testimony) ?? 0) + by
    if (count > 0) this.told.set(testimony, count)
    else this.told.delete(testimony)
    this.byElection = undefined
    for (const connection of this.connections) connection.changed(testimony)
  }

  hasDied(testimony: string): boolean {
    return this.dead.has(testimony)
  }

  /** Calls back each death from now on, until the returned function is called. */
  onDeath(listener: Listener): () => void {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  /**
   * The number of processes that have acknowledged that they were told this by this process. For a candidate of another process,
   * which every process is told: how many are connected with this one, without that other process and with this one.
   */
  witnesses(testimony: string): number {
    const connected = [...this.others.values()].flatMap(({ connection }) => connection ?? [])
    if (this.told.has(testimony)) return connected.filter((connection) => connection.isKnown(testimony)).length
    return connected.some(({ heard }) => heard.has(testimony)) ? connected.length : 0
  }

  /** What this process and the others tell now of an election, sorted. */
  living(election: string): ReadonlyArray<string> {
    this.byElection ??= groupByElection(new Set(this.alive()))
    return (this.byElection.get(election) ?? []).toSorted()
  }

  private *alive(): IterableIterator<string> {
    yield* this.told.keys()
    for (const { connection } of this.others.values()) if (connection !== undefined) yield* connection.heard
  }

  /** Takes everything back and ends the connections. */
  close(): void {
    this.isClosed = true
    clearInterval(this.scanning)
    for (const [testimony, count] of this.told) this.changeTold(testimony, -count)
    this.listeners.clear()
    this.stopListening()
  }

  private get file(): string {
    return path.join(this.directory, this.name)
  }

  private async listen(): Promise<void> {
    this.name = makeName()
    this.listenings++
    openInotify(this.directory)
    const server = net.createServer((socket) => this.begin(socket, false))
    this.server = server
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject)
      // Of a cluster, each worker listens itself: otherwise the primary would. The directory keeps other users out, so the
      // socket need not: root and the user may connect with each other.
      server.listen({ path: this.file, exclusive: true, readableAll: true, writableAll: true }, resolve)
    })
    server.unref()
    // The process has no more descriptors. It goes on to listen.
    server.on("error", () => {})
  }

  /**
   * Ends the connections and stops to listen. The file has to be removed before: as long as it is there, a socket that refuses means
   * that the process has died. If it cannot be removed, everything stays open until the process ends.
   */
  private stopListening(): void {
    try {
      fs.unlinkSync(this.file)
    } catch {
      return
    }
    this.server?.close()
    for (const connection of this.connections) connection.goodbye("closing")
    for (const other of this.others.values()) this.forget(other)
  }

  private forget(other: Other): void {
    clearTimeout(other.timer)
    other.connecting?.destroy()
    other.lost = new Set()
    this.others.delete(other.name)
  }

  /** Shows that the socket is in use, and looks for processes that have not been able to connect. */
  scan(): void {
    try {
      const now = new Date()
      fs.utimesSync(this.file, now, now)
    } catch {
      if (!isThere(this.file) && fs.existsSync(this.directory)) return void this.listenAgain()
    }
    this.connectAll()
  }

  /** The file of the socket was removed: nobody can see any more that it refuses. */
  private async listenAgain(): Promise<void> {
    if (this.listenings >= maxListenings) return
    for (const connection of this.connections) connection.goodbye("closing")
    for (const other of this.others.values()) this.forget(other)
    // The earlier server stays open, since its file may only have been moved.
    await this.listen().then(() => this.isClosed ? this.stopListening() : this.connectAll(), () => {})
  }

  private connectAll(): void {
    let names: ReadonlyArray<string> = []
    try {
      names = fs.readdirSync(this.directory)
    } catch {
      // The directory was moved or removed, or there are no more descriptors.
    }
    for (const name of names) {
      if (isName(name) && name !== this.name) this.connect(this.other(name))
    }
  }

  private other(name: string): Other {
    const known = this.others.get(name)
    if (known !== undefined) return known
    const other: Other = {
      name,
      connection: undefined,
      process: undefined,
      connecting: undefined,
      lost: new Set(),
      attempts: 0,
      connectedAt: 0,
      timer: undefined
    }
    this.others.set(name, other)
    return other
  }

  private connectAgain(other: Other, millis = pauseMillis(other)): void {
    if (this.isClosed) return
    other.attempts++
    clearTimeout(other.timer)
    other.timer = setTimeout(() => this.connect(other), millis).unref()
  }

  private connect(other: Other): void {
    if (this.isClosed || other.connection !== undefined || other.connecting !== undefined) return
    clearTimeout(other.timer)
    const file = path.join(this.directory, other.name)
    const socket = net.connect(file)
    other.connecting = socket
    socket.unref()
    const failed = (cause: NodeJS.ErrnoException): void => {
      other.connecting = undefined
      this.connectionFailed(other, file, cause.code)
    }
    socket.once("error", failed)
    socket.once("connect", () => {
      socket.off("error", failed)
      this.begin(socket, true, other.name)
    })
  }

  private connectionFailed(other: Other, file: string, code: string | undefined): void {
    if (this.others.get(other.name) !== other || other.connection !== undefined) return
    switch (code) {
      case "ECONNREFUSED": {
        if (other.lost.size === 0) {
          this.removeOld(file)
          return this.forget(other)
        }
        if (!isThere(file)) return this.forget(other)
        // Its first thread may be the last to go.
        if (isSeen(other.process)) return this.connectAgain(other)
        const { lost } = other
        this.forget(other)
        return this.died(lost)
      }
      case "ENOENT":
      case "ENOTSOCK":
        return this.forget(other)
      default:
        return this.connectAgain(other)
    }
  }

  private begin(socket: net.Socket, isInitiator: boolean, expected?: string): void {
    const connection = new Connection({
      socket,
      name: this.name,
      isInitiator,
      told: this.told,
      onHeard: () => {
        this.byElection = undefined
      },
      onHello: (peer) => this.greeted(connection, peer, expected),
      onEnd: (ending) => this.ended(connection, ending, expected)
    })
    this.connections.add(connection)
  }

  /** Returns `false` if the process is not the one that it says it is. */
  private greeted(connection: Connection, { name, process }: Peer, expected: string | undefined): boolean {
    if (!isName(name) || name === this.name || (expected ?? name) !== name) return false
    const other = this.other(name)
    if (connection.isInitiator) other.connecting = undefined
    const before = other.connection
    if (before !== undefined && this.isPreferred(before, connection, name)) {
      connection.goodbye("duplicate")
      return true
    }
    clearTimeout(other.timer)
    other.connection = connection
    other.process = process
    other.connectedAt = performance.now()
    // It lives, and tells again what it has to tell.
    other.lost = new Set()
    before?.goodbye("duplicate")
    return true
  }

  /** Both sides keep the connection that the one with the smaller name has made; of two of the same side the later one. */
  private isPreferred(before: Connection, later: Connection, name: string): boolean {
    return before.isInitiator !== later.isInitiator && before.isInitiator === this.name < name
  }

  private ended(connection: Connection, ending: Ending, expected: string | undefined): void {
    this.connections.delete(connection)
    this.byElection = undefined
    const other = this.others.get(connection.peer?.name ?? expected ?? "")
    if (other === undefined) return
    if (connection.peer === undefined) other.connecting = undefined
    else if (other.connection !== connection) return
    else {
      other.connection = undefined
      if (ending === "goodbye") return this.forget(other)
      if (performance.now() - other.connectedAt >= lastingMillis) other.attempts = 0
      if (ending === "broken") other.lost = new Set(connection.heard)
    }
    if (ending === "refused") {
      other.lost = new Set()
      return this.connectAgain(other, slowPauseMillis)
    }
    if (other.attempts > 0) return this.connectAgain(other)
    other.attempts++
    this.connect(other)
  }

  private died(testimonies: ReadonlySet<string>): void {
    const alive = new Set(this.alive())
    const dead = [...testimonies].filter((testimony) => !alive.has(testimony) && !this.dead.has(testimony))
    for (const testimony of dead) this.dead.add(testimony)
    for (const testimony of this.dead) {
      if (this.dead.size <= maxDead) break
      this.dead.delete(testimony)
    }
    for (const testimony of dead) for (const listener of this.listeners) listener(testimony)
  }

  /** Removes the socket of a process that has died some time ago. */
  private removeOld(file: string): void {
    try {
      if (Date.now() - fs.lstatSync(file).mtimeMs > removalMillis) fs.unlinkSync(file)
    } catch {
      // Another process has removed it.
    }
  }
}
