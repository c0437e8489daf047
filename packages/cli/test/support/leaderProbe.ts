/** A load balancer: asks several servers for `/leader`, many times a second, and keeps each answer that is 200. */
import { fileURLToPath } from "node:url"
import { Worker } from "node:worker_threads"
import type { Led } from "./judge.ts"

const client = fileURLToPath(new URL("./leaderClient.mjs", import.meta.url))

const now = (): number => Number(process.hrtime.bigint()) / 1e6

/** What `leaderClient.mjs` tells again and again; `sent` is a total. */
interface Told {
  readonly answers: ReadonlyArray<number>
  readonly led: ReadonlyArray<Omit<Led, "term"> & { readonly term: string }>
  readonly sent: number
}

export class LeaderProbe {
  readonly led: Array<Led> = []
  /** When each answer came, whatever it was. */
  readonly answers: Array<number> = []
  sent = 0
  private readonly worker: Worker
  private readonly begun = now()

  constructor(ports: ReadonlyArray<number>, perSecond: number) {
    this.worker = new Worker(client, { workerData: { ports, perSecond } })
    this.worker.on("message", ({ answers, led, sent }: Told) => {
      this.sent = sent
      this.answers.push(...answers)
      for (const answer of led) this.led.push({ ...answer, term: BigInt(answer.term) })
    })
  }

  async stop(): Promise<void> {
    await this.worker.terminate()
  }

  /** The server that was last seen to lead, from this moment on. */
  get leader(): number | undefined {
    const last = this.led.at(-1)
    return last !== undefined && now() - last.received < 1000 ? last.server : undefined
  }

  /** How many answers came in each whole second. */
  get perSecond(): ReadonlyArray<number> {
    const counts: Array<number> = Array(Math.floor((now() - this.begun) / 1000)).fill(0)
    for (const at of this.answers) {
      const second = Math.floor((at - this.begun) / 1000)
      if (second < counts.length) counts[second]!++
    }
    return counts
  }
}
