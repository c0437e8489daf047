/** What the doctor reads of the host, and what it makes of it. */
import * as Context from "effect/Context"
import * as fs from "node:fs"
import * as path from "node:path"
import type { Store } from "../stores.ts"
import { error, type Finding, info, ok, warning } from "./findings.ts"

export interface FileSystem {
  /** The number by which the kernel knows its type. */
  readonly type: number
  readonly freeBytes: number
}

export interface HostFacts {
  /** Of the nearest directory that exists above a path; `undefined` if the system does not tell. */
  readonly fileSystem: (path: string) => FileSystem | undefined
  /** The command line of process 1, which is the init if there is one; `undefined` if the system does not tell. */
  readonly firstProcess: () => ReadonlyArray<string> | undefined
  readonly isContainer: () => boolean
}

const attempt = <A>(read: () => A): A | undefined => {
  try {
    return read()
  } catch {
    return undefined
  }
}

const nearest = (place: string): string =>
  fs.existsSync(place) || place === path.dirname(place) ? place : nearest(path.dirname(place))

/** The host; tests have another. */
export const Host = Context.Reference<HostFacts>("@effect-fdb/cli/Host", {
  defaultValue: () => ({
    fileSystem: (place) =>
      attempt(() => {
        const { bavail, bsize, type } = fs.statfsSync(nearest(place))
        return { type, freeBytes: bavail * bsize }
      }),
    firstProcess: () =>
      attempt(() => fs.readFileSync("/proc/1/cmdline", "utf8").split("\0").filter((arg) => arg !== "")),
    isContainer: () =>
      fs.existsSync("/.dockerenv") || fs.existsSync("/run/.containerenv") ||
      process.env.KUBERNETES_SERVICE_HOST !== undefined
  })
})

/** By the magic numbers of Linux. Processes of several hosts would share no lock and no memory. */
const networkFileSystems: ReadonlyMap<number, string> = new Map([
  [0x6969, "NFS"],
  [0x517b, "SMB"],
  [0xff534d42, "CIFS"],
  [0xfe534d42, "SMB"],
  [0x00c36400, "Ceph"],
  [0x0bd00bd0, "Lustre"],
  [0x5346414f, "AFS"],
  [0x73757245, "Coda"],
  [0x7461636f, "OCFS2"],
  [0x01161970, "GFS2"],
  [0x19830326, "BeeGFS"],
  [0x47504653, "GPFS"]
])

/** Shared with a host that keeps its own locks and caches. */
const sharedFileSystems: ReadonlyMap<number, string> = new Map([
  [0x01021997, "9p"],
  [0x65735546, "FUSE"],
  [0x786f4256, "vboxsf"],
  [0xbacbacbc, "vmhgfs"]
])

/** Gone with the host's next start. */
const memoryFileSystems: ReadonlyMap<number, string> = new Map([[0x01021994, "tmpfs"], [0x858458f6, "ramfs"]])

const overlay = 0x794c7630

const mebibyte = 2 ** 20

const ofSpace = (place: string, { freeBytes }: FileSystem): ReadonlyArray<Finding> => {
  const free = `${Math.floor(freeBytes / mebibyte)} MiB are free for ${place}`
  if (freeBytes < 16 * mebibyte) {
    return [error("space", free, "free some: on a full file system nobody can renew, and the leader is lost")]
  }
  return freeBytes < 256 * mebibyte ? [warning("space", free, "free some before it is full")] : []
}

const ofType = (place: string, type: number): Finding => {
  // Some systems give it as a signed number.
  const magic = type >>> 0
  const network = networkFileSystems.get(magic)
  if (network !== undefined) {
    return error(
      "file system",
      `${place} is on ${network}, a network file system: processes of two hosts may lead at once, and LMDB may damage its file`,
      "move the store to a local file system; for several hosts use --engine fdb"
    )
  }
  const shared = sharedFileSystems.get(magic)
  if (shared !== undefined) {
    return warning(
      "file system",
      `${place} is on ${shared}, which may be shared with another host or virtual machine`,
      "use it from one of them only, or move the store to a local file system or a volume"
    )
  }
  const memory = memoryFileSystems.get(magic)
  if (memory !== undefined) {
    return warning(
      "file system",
      `${place} is on ${memory}: the store is lost with the next start of the host, and terms begin at 1 again`,
      "move the store to a disk; or raise the terms at each start with `fdb-election init --terms-from`"
    )
  }
  return magic === overlay
    ? warning(
      "file system",
      `${place} is in the layer of a container: other containers do not see it, and it is lost with the container`,
      "put the store on a volume, which all containers of the host mount"
    )
    : ok("file system", `${place} is on a local file system`)
}

export const ofStore = ({ fileSystem }: HostFacts, store: Store): ReadonlyArray<Finding> => {
  if (store.engine !== "lmdb") return []
  const found = fileSystem(store.path)
  return found === undefined
    ? [info("file system", `the system does not tell on which file system ${store.path} is`)]
    : [ofType(store.path, found.type), ...ofSpace(store.path, found)]
}

/** Names of programs that reap orphans. */
const inits = /^(init|systemd|tini|dumb-init|catatonit|docker-init|s6-svscan|runit|pause|(ba|da|z)?sh|busybox)$/

export const ofInit = ({ firstProcess, isContainer }: HostFacts): ReadonlyArray<Finding> => {
  const [command, ...args] = firstProcess() ?? []
  if (command === undefined) return []
  const isWrapper = [command, ...args].some((arg) => /(^|\/)fdb-election(\.mjs)?$/.test(arg))
  if (!isWrapper && !isContainer()) return []
  if (isWrapper) {
    return [
      warning(
        "init",
        "process 1 of this container is fdb-election: Node cannot reap the orphans of a command, which stay as zombies",
        "start the container with an init, as `docker run --init` and `init: true` do"
      )
    ]
  }
  const name = path.basename(command)
  return inits.test(name) ? [ok("init", `process 1 of this container is ${name}`)] : [
    info(
      "init",
      `process 1 of this container is ${name}: if it does not reap orphans, they stay as zombies`,
      "start the container with an init, as `docker run --init` does"
    )
  ]
}
