/** The life of a peer's candidate: it speaks as `candidate.ts` does. Bare promises, so that nothing of ours is measured with it. */
import { setTimeout } from "node:timers/promises"
import { argument, type Order, type PeerAssignment, type Report } from "./messages.ts"

/** Milliseconds of the host's monotonic clock. */
export const readNow = (): number => Number(process.hrtime.bigint()) / 1e6

/** Campaigns, and calls back when elected. Returns when the campaign has begun, with how it resigns. */
export type Campaign = (onElected: (at: number) => void) => Promise<() => Promise<void>>

const tell = (report: Report): void => void process.send?.(report)

export const runPeer = async (connect: (assignment: PeerAssignment) => Promise<Campaign>): Promise<void> => {
  const assignment = argument<PeerAssignment>()
  let order: (backAfter: number) => void = () => {}
  process.on("message", (received: Order) => {
    if (received.kind === "resign") order(received.backAfter)
  })
  const campaign = await connect(assignment)
  let resigned: number | undefined
  while (true) {
    const ordered = new Promise<number>((resolve) => order = resolve)
    const resign = await campaign((at) => tell({ kind: "works", index: 0, at }))
    const { system, user } = process.cpuUsage()
    tell({
      kind: "campaigns",
      resigned,
      usage: { at: readNow(), cpuMillis: (system + user) / 1000, renewed: 0, lost: 0 }
    })
    const backAfter = await ordered
    resigned = readNow()
    await resign()
    await setTimeout(backAfter)
  }
}
