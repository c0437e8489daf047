import { assert, describe, it } from "@effect/vitest"
import { ofInit, ofStore } from "../../../src/internal/doctor/host.ts"
import type { HostFacts } from "../../../src/internal/doctor/host.ts"

const host = (changes: Partial<HostFacts>): HostFacts => ({
  fileSystem: () => ({ type: 0xef53, freeBytes: 2 ** 40 }),
  firstProcess: () => ["/sbin/init"],
  isContainer: () => false,
  ...changes
})
const store = { engine: "lmdb", path: "/data/store" } as const

const severities = (type: number, freeBytes = 2 ** 40) =>
  ofStore(host({ fileSystem: () => ({ type, freeBytes }) }), store).map(({ severity }) => severity)

describe("the file system of a store", () => {
  it("is an error where hosts share it, a warning where it may be lost or shared, and right elsewhere", () => {
    const expected: ReadonlyArray<readonly [name: string, type: number, severity: string]> = [
      ["NFS", 0x6969, "error"],
      ["CIFS, as a signed number", 0xff534d42 | 0, "error"],
      ["SMB 2", 0xfe534d42, "error"],
      ["Ceph", 0x00c36400, "error"],
      ["Lustre", 0x0bd00bd0, "error"],
      ["9p", 0x01021997, "warning"],
      ["FUSE", 0x65735546, "warning"],
      ["tmpfs", 0x01021994, "warning"],
      ["overlay", 0x794c7630, "warning"],
      ["ext4", 0xef53, "ok"],
      ["XFS", 0x58465342, "ok"],
      ["btrfs", 0x9123683e, "ok"]
    ]
    for (const [name, type, severity] of expected) assert.deepStrictEqual(severities(type), [severity], name)
  })

  it("is told when it is nearly full", () => {
    assert.deepStrictEqual(severities(0xef53, 2 ** 20), ["ok", "error"])
    assert.deepStrictEqual(severities(0xef53, 100 * 2 ** 20), ["ok", "warning"])
  })

  it("is not judged where the system does not tell, nor for FoundationDB", () => {
    const silent = host({ fileSystem: () => undefined })
    assert.deepStrictEqual(ofStore(silent, store).map(({ severity }) => severity), ["info"])
    assert.deepStrictEqual(ofStore(silent, { engine: "fdb" }), [])
  })
})

describe("process 1", () => {
  const found = (isContainer: boolean, ...command: ReadonlyArray<string>) =>
    ofInit(host({ firstProcess: () => command, isContainer: () => isContainer })).map(({ severity }) => severity)

  it("is a warning where it is the command", () => {
    assert.deepStrictEqual(found(true, "/usr/bin/node", "/app/node_modules/.bin/fdb-election", "run"), ["warning"])
    assert.deepStrictEqual(found(false, "node", "/usr/lib/fdb-election.mjs", "run"), ["warning"])
  })

  it("is told in a container where it may not reap orphans, and nowhere else", () => {
    assert.deepStrictEqual(found(true, "/usr/bin/python3", "job.py"), ["info"])
    assert.deepStrictEqual(found(true, "/sbin/tini", "--", "node", "x.js"), ["ok"])
    assert.deepStrictEqual(found(true, "/bin/sh", "-c", "x"), ["ok"])
    assert.deepStrictEqual(found(false, "/lib/systemd/systemd"), [])
    assert.deepStrictEqual(ofInit(host({ firstProcess: () => undefined, isContainer: () => true })), [])
  })
})
