// Completes package-lock.json: npm leaves out each optional dependency that its registry does not have, such as the binaries of
// other platforms, and `npm ci` then refuses the lock file. Each gets an entry with its exact version and the platform of its name;
// it has no integrity, because nobody here has seen it. Run it after `npm install` has changed the lock file.
import { readFileSync, writeFileSync } from "node:fs"

const file = new URL("../package-lock.json", import.meta.url)
const lock = JSON.parse(readFileSync(file, "utf8"))

const systems = ["aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos", "win32"]
const processors = ["arm", "arm64", "ia32", "loong64", "mips64el", "ppc64", "riscv64", "s390x", "wasm32", "x64"]
const libraries = { glibc: "glibc", gnu: "glibc", musl: "musl" }

const isLocked = (path, name) => {
  const places = path.split("/node_modules/").map((_, i, parts) => parts.slice(0, i + 1).join("/node_modules/"))
  return [...places.map((place) => `${place}/node_modules/${name}`), `node_modules/${name}`].some((at) =>
    at in lock.packages
  )
}

for (const [path, parent] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
    if (isLocked(path, name)) continue
    const words = name.split("/").at(-1).split("-")
    const os = words.filter((word) => systems.includes(word))
    const cpu = words.filter((word) => processors.includes(word))
    const libc = words.flatMap((word) => libraries[word] ?? [])
    if (os.length === 0 || cpu.length === 0 || !/^\d+\.\d+\.\d+$/.test(version)) {
      throw new Error(
        `${name}@${version}, optional in ${path}: neither its platform nor its version can be told from this`
      )
    }
    lock.packages[`node_modules/${name}`] = {
      version,
      cpu,
      ...(parent.dev && { dev: true }),
      ...(libc.length > 0 && { libc }),
      optional: true,
      os
    }
    console.log(`${name}@${version}`)
  }
}

const sorted = Object.entries(lock.packages).toSorted(([a], [b]) => a.localeCompare(b, "en"))
writeFileSync(file, `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`)
