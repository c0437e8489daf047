/** What to do when something is missing, by platform. */
import { ClientUnavailable, type UnavailableReason } from "../NativeError.ts"

const releases = "https://github.com/apple/foundationdb/releases"

/** How to install the client library. */
export const installClient = (platform: NodeJS.Platform, arch: string): string => {
  switch (platform) {
    case "linux":
      return "Install the FoundationDB client of your cluster's version (7.1 to 7.3): download foundationdb-clients from " +
        `${releases} and run, on Debian or Ubuntu, ` +
        `\`sudo dpkg -i foundationdb-clients_VERSION_${arch === "arm64" ? "aarch64" : "amd64"}.deb\`, on Red Hat, ` +
        `\`sudo rpm -i foundationdb-clients-VERSION.${arch === "arm64" ? "aarch64" : "x86_64"}.rpm\``
    case "darwin":
      return "Install the FoundationDB client of your cluster's version (7.1 to 7.3): download " +
        `FoundationDB-VERSION_${arch === "arm64" ? "arm64" : "x86_64"}.pkg from ${releases}, open it and choose the ` +
        "client, then run `export DYLD_LIBRARY_PATH=/usr/local/lib` before you start the program"
    default:
      return `The npm package foundationdb has no client for ${platform}: run the program on Linux or macOS, ` +
        "or choose the LMDB engine"
  }
}

const installPackage = "Run `npm install foundationdb@2.0.1`"

const buildPackage = "The package brings native code for Linux on x64 and for macOS; on Linux on arm64 install the " +
  "FoundationDB client first, then run `npm rebuild foundationdb`, which compiles it (a C++ compiler is needed)"

const clusterFile = "Set `clusterFile` or FDB_CLUSTER_FILE to a readable cluster file, or put one at " +
  "/etc/foundationdb/fdb.cluster (macOS: /usr/local/etc/foundationdb/fdb.cluster); every server of the cluster has a copy"

const hintOf = (reason: UnavailableReason): string => {
  const { arch, platform } = process
  switch (reason) {
    case "package":
      return `${installPackage}. ${installClient(platform, arch)}.`
    case "platform":
      return platform === "linux" || platform === "darwin" ? `${buildPackage}.` : `${installClient(platform, arch)}.`
    case "library":
      return `${installClient(platform, arch)}.`
    case "version":
      return `The package foundationdb 2.0.1 works with client libraries from 7.1 on. ${installClient(platform, arch)}.`
    case "cluster-file":
      return `${clusterFile}.`
    case "options":
      return "Check the options of NativeDatabase.layer, and FDB_NETWORK_OPTION_* and FDB_TLS_* in the environment. " +
        "Network options hold for the whole process: give the same `network` to every layer, and let nothing else in the " +
        "process open a database before them or stop the network."
    case "tenant":
      return "The npm package foundationdb 2.0.1 has no call for tenants. Leave `tenant` out, and give each application a " +
        "subspace of its own: Subspace.fromTuple([\"my-application\"])."
  }
}

/** Builds the error, with the hint that belongs to its reason on this platform. */
export const clientUnavailable = (reason: UnavailableReason, detail: string): ClientUnavailable =>
  new ClientUnavailable({ reason, detail, hint: hintOf(reason) })
