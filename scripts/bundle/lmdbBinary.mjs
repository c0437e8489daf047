// In the bundle of the command, this module stands for `node-gyp-build-optional-packages`, by which LMDB loads its binary. It finds
// the binary that npm installed for this platform, or that `npm run package` has copied, without looking for a compiler's output
// first; LMDB's own loader does the rest.
import { closeSync, existsSync, openSync, readFileSync, readSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"

const require = createRequire(import.meta.url)

/** The tag of the C library, as the dynamic linker that Node's executable names tells; `undefined` if it cannot be told. */
const libraryTags = () => {
  if (process.platform !== "linux") return []
  const head = Buffer.alloc(4096)
  const file = openSync(process.execPath, "r")
  readSync(file, head)
  closeSync(file)
  if (head.includes("/ld-musl-")) return ["musl"]
  return head.includes("/ld-linux") ? ["glibc"] : undefined
}

/** The directory of the binaries, of the version that the bundle's JavaScript is of. */
const findDirectory = (from) => {
  try {
    const manifest = from.resolve(`@lmdb/lmdb-${process.platform}-${process.arch}/package.json`)
    return JSON.parse(readFileSync(manifest, "utf8")).version === LMDB_VERSION ? dirname(manifest) : undefined
  } catch {
    return undefined
  }
}

const ownLoader = () => {
  const entry = require.resolve("lmdb")
  return createRequire(entry)("node-gyp-build-optional-packages")(dirname(dirname(entry)))
}

export default () => {
  const tags = libraryTags()
  const directory = findDirectory(require)
  if (tags === undefined || directory === undefined) return ownLoader()
  const binary = [`abi${process.versions.modules}`, "napi"]
    .map((kind) => join(directory, ["node", kind, ...tags, "node"].join(".")))
    .find((file) => existsSync(file))
  return binary === undefined ? ownLoader() : require(binary)
}
