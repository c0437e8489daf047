/** A candidate by the election of `etcd3`, etcd's client. */
import { readNow, runPeer } from "./peerCandidate.ts"

/** What is used of `etcd3`, which need not be installed. */
interface Module {
  readonly Etcd3: new(options: { readonly hosts: string }) => {
    election(name: string, ttlSeconds: number): {
      campaign(value: string): {
        once(event: "elected", listener: () => void): void
        once(event: "error", listener: (error: Error) => void): void
        resign(): Promise<void>
      }
    }
  }
}

await runPeer(async ({ id, leaseMillis, server }) => {
  const name: string = "etcd3"
  const { Etcd3 }: Module = await import(name)
  const election = new Etcd3({ hosts: server }).election("election", leaseMillis / 1000)
  return async (onElected) => {
    const campaign = election.campaign(id)
    campaign.once("elected", () => onElected(readNow()))
    campaign.once("error", (error) => {
      throw error
    })
    return () => campaign.resign()
  }
})
