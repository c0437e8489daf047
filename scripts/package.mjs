// Makes a directory that has all of the command: it runs where Node is, and nothing is installed. It is for this platform, because it
// contains LMDB's binary. `npm run package -- DIRECTORY` says where; `build/` here unless given. Build the command first.
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join, resolve } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const command = join(root, "packages/cli")
const { description, license, version } = JSON.parse(readFileSync(join(command, "package.json"), "utf8"))
const platform = `${process.platform}-${process.arch}`
const out = join(resolve(process.argv[2] ?? join(root, "build")), `fdb-election-${version}-${platform}`)

const lmdb = dirname(dirname(createRequire(import.meta.url).resolve("lmdb")))
const binary = join(dirname(lmdb), "@lmdb", `lmdb-${platform}`)
if (!existsSync(binary)) {
  throw new Error(`LMDB has no binary for ${platform}: build it on a platform that npm has one for`)
}

const copy = (from, to) => cpSync(from, join(out, to), { recursive: true })

rmSync(out, { recursive: true, force: true })
mkdirSync(out, { recursive: true })
copy(join(command, "bundle"), "bundle")
copy(join(command, "bin/fdb-election.cjs"), "bin/fdb-election")
chmodSync(join(out, "bin/fdb-election"), 0o755)
copy(binary, `node_modules/@lmdb/lmdb-${platform}`)
copy(join(lmdb, "dependencies/lmdb/libraries/liblmdb/LICENSE"), `node_modules/@lmdb/lmdb-${platform}/LICENSE.liblmdb`)
copy(join(root, "LICENSE"), "LICENSE")
writeFileSync(
  join(out, "package.json"),
  `${JSON.stringify({ name: "fdb-election", version, private: true, description, license }, null, 2)}\n`
)
writeFileSync(
  join(out, "README.md"),
  `# fdb-election ${version} for ${platform}

All that the command needs but Node 20 or later: run \`bin/fdb-election\`, from anywhere, or link to it from a directory of your PATH.
For FoundationDB, run \`npm install foundationdb@2\` in this directory, and install the FoundationDB client.
`
)
console.log(out)
