/** A candidate by ZooKeeper's recipe: a sequential ephemeral node, which watches the one before it. */
import { readNow, runPeer } from "./peerCandidate.ts"

/** What is used of `node-zookeeper-client`, which has no types. */
interface Client {
  connect(): void
  once(event: "connected", listener: () => void): void
  mkdirp(path: string, callback: (error: Error | null) => void): void
  create(path: string, data: null, mode: number, callback: (error: Error | null, path: string) => void): void
  getChildren(path: string, callback: (error: Error | null, children: Array<string>) => void): void
  exists(path: string, watcher: () => void, callback: (error: Error | null, stat: unknown) => void): void
  remove(path: string, version: number, callback: (error: Error | null) => void): void
}
interface Module {
  createClient(server: string, options: { readonly sessionTimeout: number }): Client
  readonly CreateMode: { readonly EPHEMERAL_SEQUENTIAL: number }
}

const root = "/election"

await runPeer(async ({ leaseMillis, server }) => {
  const name: string = "node-zookeeper-client"
  const { default: zookeeper }: { readonly default: Module } = await import(name)
  const client = zookeeper.createClient(server, { sessionTimeout: leaseMillis })
  const call = <A>(run: (callback: (error: Error | null, value: A) => void) => void) =>
    new Promise<A>((resolve, reject) =>
      run((error, value) => error === null || error === undefined ? resolve(value) : reject(error))
    )
  const connected = new Promise<void>((resolve) => client.once("connected", resolve))
  client.connect()
  await connected
  await call<void>((done) => client.mkdirp(root, done))
  return async (onElected) => {
    const own = await call<string>((done) =>
      client.create(`${root}/n-`, null, zookeeper.CreateMode.EPHEMERAL_SEQUENTIAL, done)
    )
    const awaitTurn = async (): Promise<void> => {
      const children = (await call<Array<string>>((done) => client.getChildren(root, done))).toSorted()
      const index = children.indexOf(own.slice(root.length + 1))
      if (index === 0) return onElected(readNow())
      const stat = await call((done) => client.exists(`${root}/${children[index - 1]}`, () => void awaitTurn(), done))
      // It was removed meanwhile.
      if (!stat) await awaitTurn()
    }
    await awaitTurn()
    return () => call<void>((done) => client.remove(own, -1, done))
  }
})
