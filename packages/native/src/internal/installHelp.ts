/** The hints of `ClientUnavailable`, by reason and platform. */
import { ClientUnavailable, type UnavailableReason } from "../NativeError.ts"

const releases = "https://github.com/apple/foundationdb/releases"

const ofYourVersion = "Install the FoundationDB client of your cluster's version (7.1 to 7.3): download"

export const installClient = (platform: NodeJS.Platform, arch: string): string => {
  switch (platform) {
    case "linux":
      return `${ofYourVersion} foundationdb-clients from ${releases} and run, on Debian or Ubuntu, ` +
        `\`sudo dpkg -i foundationdb-clients_VERSION_${arch === "arm64" ? "aarch64" : "amd64"}.deb\`, on Red Hat, ` +
        `\`sudo rpm -i foundationdb-clients-VERSION.${arch === "arm64" ? "aarch64" : "x86_64"}.rpm\``
    case "darwin": {
      const file = `FoundationDB-VERSION_${arch === "arm64" ? "arm64" : "x86_64"}.pkg`
      return `${ofYourVersion} ${file} from ${releases}, open it and choose the client, then run ` +
        "`export DYLD_LIBRARY_PATH=/usr/local/lib` before you start the program"
    }
    default:
      return `The npm package foundationdb has no client for ${platform}: run the program on Linux or macOS, ` +
        "or choose the LMDB engine"
  }
}

const install = installClient(process.platform, process.arch)

const help: Readonly<Record<UnavailableReason, string>> = {
  package: `Run \`npm install foundationdb@2.0.1\`. ${install}.`,
  platform: process.platform === "linux" || process.platform === "darwin"
    ? "The package brings native code for Linux on x64 and for macOS; on Linux on arm64 install the " +
      "FoundationDB client first, then run `npm rebuild foundationdb`, which compiles it (a C++ compiler is needed)."
    : `${install}.`,
  library: `${install}.`,
  version: `The package foundationdb 2.0.1 works with client libraries from 7.1 on. ${install}.`,
  "cluster-file":
    "Set `clusterFile` or FDB_CLUSTER_FILE to a readable cluster file, or put one at /etc/foundationdb/fdb.cluster " +
    "(macOS: /usr/local/etc/foundationdb/fdb.cluster); every server of the cluster has a copy.",
  options: "Check the options of NativeDatabase.layer, and FDB_NETWORK_OPTION_* and FDB_TLS_* in the environment. " +
    "Network options hold for the whole process: give the same `network` to every layer, and make sure that no other code " +
    "in the process opens a database first or stops the network.",
  tenant:
    "The npm package foundationdb 2.0.1 has no call for tenants. Leave `tenant` out, and give each application a " +
    "subspace of its own: Subspace.fromTuple([\"my-application\"])."
}

export const clientUnavailable = (reason: UnavailableReason, detail: string): ClientUnavailable =>
  new ClientUnavailable({ reason, detail, hint: help[reason] })
