/** A load balancer: asks several servers for `/leader`, many times a second, and keeps each answer that is 200. */
import * as http from "node:http"

export interface Led {
  /** The index of the server. */
  readonly server: number
  readonly term: bigint
  /** By one monotonic clock, in milliseconds. */
  readonly sent: number
  readonly received: number
}

/** The most requests that wait for one server: a frozen one answers none of them. */
const mostWaiting = 200

export class LeaderProbe {
  readonly led: Array<Led> = []
  sent = 0
  answered = 0
  private readonly ports: ReadonlyArray<number>
  private readonly agents: ReadonlyArray<http.Agent>
  private readonly waiting: Array<number>
  private readonly timer: NodeJS.Timeout
  private next = 0
  private readonly begun = performance.now()

  constructor(ports: ReadonlyArray<number>, perSecond: number) {
    this.ports = ports
    this.agents = ports.map(() => new http.Agent({ keepAlive: true, maxSockets: mostWaiting }))
    this.waiting = ports.map(() => 0)
    // As many as are due by now, for a timer may be late.
    this.timer = setInterval(() => {
      const due = (performance.now() - this.begun) / 1000 * perSecond
      while (this.next < due) this.ask(this.next++ % ports.length)
    }, 1)
  }

  private ask(server: number): void {
    if (this.waiting[server]! >= mostWaiting) return
    this.waiting[server]!++
    this.sent++
    const sent = performance.now()
    let isOver = false
    const over = (): void => {
      if (!isOver) this.waiting[server]!--
      isOver = true
    }
    const request = http.get({
      host: "127.0.0.1",
      port: this.ports[server]!,
      path: "/leader",
      agent: this.agents[server]!
    })
    request.on("response", (response) => {
      this.answered++
      if (response.statusCode === 200) {
        const received = performance.now()
        this.led.push({ server, term: BigInt(response.headers["fencing-token"] as string), sent, received })
      }
      response.on("close", over)
      response.resume()
    })
    request.on("error", over)
    request.on("close", over)
  }

  stop(): void {
    clearInterval(this.timer)
    for (const agent of this.agents) agent.destroy()
  }

  /** The server that was last seen to lead, from this moment on. */
  get leader(): number | undefined {
    const last = this.led.at(-1)
    return last !== undefined && performance.now() - last.received < 200 ? last.server : undefined
  }

  /**
   * The answers that contradict each other: two servers in one term, or an earlier term that was asked for after the answer of a
   * later one had come. `late` are those that had been asked for before, but came after: the later leader had answered already.
   */
  get problems() {
    const servers = new Map<bigint, number>()
    let greatest = 0n
    let greatestAt = 0
    const contradictions: Array<string> = []
    let late = 0
    const received = this.led.toSorted((a, b) => a.received - b.received)
    /** The first answer of each term, in the order of their receipt. */
    const firsts: Array<Led> = []
    for (const answer of received) {
      const { received, sent, server, term } = answer
      const other = servers.get(term)
      if (other !== undefined && other !== server) contradictions.push(`term ${term}: servers ${other} and ${server}`)
      servers.set(term, server)
      if (term > greatest) {
        greatest = term
        greatestAt = received
        firsts.push(answer)
      } else if (term < greatest) {
        if (firsts.some((first) => first.term > term && first.received < sent)) {
          contradictions.push(`term ${term} of server ${server} was asked for after term ${greatest} had answered`)
        } else if (received - greatestAt > 1) late++
      }
    }
    return { contradictions, late, terms: servers.size }
  }

  /** The longest time between two answers that are 200, in milliseconds. */
  get longestGap(): number {
    const times = this.led.map(({ received }) => received).toSorted((a, b) => a - b)
    return Math.max(...times.slice(1).map((at, i) => at - times[i]!))
  }
}
