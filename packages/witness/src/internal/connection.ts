/**
 * One connection to another process. Each side says which process it is, and then what its own end means. What is not acknowledged
 * is limited to less than the operating system takes for a peer that does not read. So a frozen peer costs no memory, and no write
 * is ever under way that would keep this process alive.
 */
import type { Socket } from "node:net"
import { decode, encode, maxLineLength, type Message, version } from "./message.ts"
import { type ProcessIdentity, self } from "./processIdentity.ts"

/** The number of characters that may be sent without an acknowledgement. macOS takes 8192 bytes for a peer. */
const windowLength = 4096

/** The most candidates that a peer may tell. */
const maxHeard = 100_000

/** How a connection has ended. Only `broken` can be the work of the operating system, at the end of the other process. */
export type Ending =
  /** Neither side has meant to end it. */
  | "broken"
  /** The peer has said goodbye, or was told it. */
  | "goodbye"
  /** This side has ended it, because the peer broke the rules. */
  | "refused"

export interface Peer {
  /** The name of its socket's file. */
  readonly name: string
  readonly process: ProcessIdentity | undefined
}

interface Options {
  readonly socket: Socket
  /** The name of this process. */
  readonly name: string
  /** Whether this side has made the connection. */
  readonly isInitiator: boolean
  /** What this process tells. */
  readonly told: ReadonlyMap<string, unknown>
  /** The peer has said which process it is. The connection is refused if this returns `false`. */
  readonly onHello: (peer: Peer) => boolean
  /** What the peer tells has changed. */
  readonly onHeard: () => void
  readonly onEnd: (ending: Ending) => void
}

export class Connection {
  readonly isInitiator: boolean
  peer: Peer | undefined = undefined
  /** What the peer tells. */
  readonly heard = new Set<string>()
  private readonly socket: Socket
  private readonly onHeard: Options["onHeard"]
  private readonly onHello: Options["onHello"]
  private readonly told: ReadonlyMap<string, unknown>
  private ending: Ending = "broken"
  private buffer = ""
  /** The number of `tell` and `takeBack` that were received, sent, and acknowledged by the peer. */
  private received = 0
  private sent = 0
  private acknowledged = 0
  /** The candidates that the peer was told, with the number of the message. */
  private readonly sentTells = new Map<string, number>()
  /** The messages on their way: their numbers and lengths. */
  private readonly underWay: Array<number> = []
  private underWayLength = 0
  /** The candidates about which the peer may have to be told something. */
  private readonly unsent = new Set<string>()

  constructor({ isInitiator, name, onEnd, onHeard, onHello, socket, told }: Options) {
    this.socket = socket
    this.onHeard = onHeard
    this.onHello = onHello
    this.isInitiator = isInitiator
    this.told = told
    socket.unref()
    socket.setEncoding("utf8")
    socket.on("error", () => {})
    socket.on("data", (data) => this.receive(String(data)))
    socket.on("close", () => onEnd(this.ending))
    this.send({ hello: name, version, process: self })
  }

  /** Whether the peer has acknowledged that it was told this. */
  isKnown(testimony: string): boolean {
    const number = this.sentTells.get(testimony)
    return number !== undefined && number <= this.acknowledged
  }

  /** What this process tells of a candidate has changed. */
  changed(testimony: string): void {
    this.unsent.add(testimony)
    this.sendChanges()
  }

  /** Ends the connection. What was told over it counts no more. */
  goodbye(reason: "closing" | "duplicate"): void {
    this.ending = "goodbye"
    this.socket.end(encode({ goodbye: reason }))
  }

  private refuse(): void {
    this.ending = "refused"
    this.heard.clear()
    this.socket.destroy()
  }

  private send(message: Message): number {
    const line = encode(message)
    if (this.socket.writable) this.socket.write(line)
    return line.length
  }

  private sendChanges(): void {
    if (this.peer === undefined || this.ending !== "broken") return
    for (const testimony of this.unsent) {
      if (this.underWayLength >= windowLength) return
      this.unsent.delete(testimony)
      const isTold = this.told.has(testimony)
      if (isTold === this.sentTells.has(testimony)) continue
      this.sent++
      if (isTold) this.sentTells.set(testimony, this.sent)
      else this.sentTells.delete(testimony)
      const length = this.send(isTold ? { tell: testimony } : { takeBack: testimony })
      this.underWay.push(length)
      this.underWayLength += length
    }
  }

  private receive(data: string): void {
    const before = this.received
    const lines = (this.buffer + data).split("\n")
    this.buffer = lines.pop()!
    for (const line of lines) {
      if (this.ending !== "broken") return
      const message = decode(line)
      if (message === undefined || line.length > maxLineLength || !this.obey(message)) return this.refuse()
    }
    if (this.buffer.length > maxLineLength) return this.refuse()
    if (this.received === before) return
    this.onHeard()
    this.send({ ack: this.received })
  }

  /** Returns `false` for a message that breaks the rules. */
  private obey(message: Message): boolean {
    if (this.peer === undefined) {
      if (!("hello" in message) || message.version !== version) return false
      this.peer = { name: message.hello, process: message.process }
      if (!this.onHello(this.peer)) return false
      for (const testimony of this.told.keys()) this.unsent.add(testimony)
      this.sendChanges()
      return true
    }
    if ("tell" in message) {
      this.received++
      this.heard.add(message.tell)
      return this.heard.size <= maxHeard
    }
    if ("takeBack" in message) {
      this.received++
      return this.heard.delete(message.takeBack)
    }
    if ("ack" in message) return this.acknowledge(message.ack)
    if (!("goodbye" in message)) return false
    this.ending = "goodbye"
    this.heard.clear()
    this.socket.end()
    return true
  }

  private acknowledge(number: number): boolean {
    if (number < this.acknowledged || number > this.sent) return false
    for (; this.acknowledged < number; this.acknowledged++) this.underWayLength -= this.underWay.shift()!
    this.sendChanges()
    return true
  }
}
