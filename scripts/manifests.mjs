// What the packages have in common is stated once, in the root's package.json and here; their version is that of core, which
// changesets writes. `npm run manifests` writes it into each package (manifest, licence, absolute links of its README); with `--check`
// it fails where a package says something else. The address of the repository is the `homepage` in the root's package.json; while it
// ends with `.example`, `--release` refuses it.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const read = (file) => readFileSync(root + file, "utf8")
const project = JSON.parse(read("package.json"))
/** The address of the repository, and of a file in it. */
const home = project.homepage
const address = (file) => `${home}/blob/main/${file}`
const { version } = JSON.parse(read("packages/core/package.json"))

const ownNames = readdirSync(`${root}packages`).toSorted()
const isOwn = (name) => name.startsWith("@effect-fdb/")
const withRanges = (dependencies) =>
  dependencies && Object.fromEntries(
    Object.entries(dependencies).map(([name, range]) => [name, isOwn(name) ? `^${version}` : range])
  )

/** The manifest of a package in full, from what is its own. */
const manifest = (name, own) => {
  const {
    bin,
    dependencies,
    description,
    devDependencies,
    exports,
    keywords,
    peerDependencies,
    peerDependenciesMeta,
    private: isPrivate
  } = own
  const closed = Object.entries(exports).filter(([, target]) => target === null)
  return {
    name: `@effect-fdb/${name}`,
    version,
    ...(isPrivate && { private: true }),
    description,
    ...(!isPrivate && { keywords: [...new Set([...project.keywords, ...keywords ?? []])] }),
    homepage: `${home}/tree/main/packages/${name}#readme`,
    bugs: { url: `${home}/issues` },
    repository: { type: "git", url: `git+${home}.git`, directory: `packages/${name}` },
    license: project.license,
    sideEffects: [],
    type: "module",
    exports: {
      ".": { "@effect-fdb/source": "./src/index.ts", types: "./dist/index.d.ts", default: "./dist/index.js" },
      "./package.json": "./package.json",
      "./*": { "@effect-fdb/source": "./src/*.ts", types: "./dist/*.d.ts", default: "./dist/*.js" },
      ...Object.fromEntries(closed)
    },
    bin,
    files: [...(bin ? ["bin", "bundle"] : []), "src", "dist", "!dist/.tsbuildinfo", "CHANGELOG.md"],
    ...(!isPrivate && {
      scripts: {
        prepack: "node ../../scripts/prepack.mjs",
        prepublishOnly: "node ../../scripts/manifests.mjs --check --release"
      }
    }),
    dependencies: withRanges(dependencies),
    devDependencies: withRanges(devDependencies),
    peerDependencies: withRanges(peerDependencies),
    peerDependenciesMeta,
    engines: project.engines,
    ...(!isPrivate && { publishConfig: { access: "public" } })
  }
}

/** A README whose links lead out of its package by their whole address, since it is read outside of the repository, too. */
const withAbsoluteLinks = (name, text) =>
  text.replaceAll(/\]\(([^)#]+)/g, (link, target) => {
    const [, stated] = /^https:.*?\/blob\/main\/(.*)$/.exec(target) ?? []
    if (stated !== undefined) return existsSync(root + stated) ? `](${address(stated)}` : link
    return target.startsWith("http")
      ? link
      : `](${address(new URL(target, `file:///packages/${name}/`).pathname.slice(1))}`
  })

const files = ownNames.flatMap((name) => {
  const at = `packages/${name}`
  const own = JSON.parse(read(`${at}/package.json`))
  return [
    [`${at}/package.json`, `${JSON.stringify(manifest(name, own), null, 2)}\n`],
    ...(own.private ? [] : [
      [`${at}/LICENSE`, read("LICENSE")],
      [`${at}/README.md`, withAbsoluteLinks(name, read(`${at}/README.md`))]
    ])
  ]
})

const faults = []

if (process.argv.includes("--release")) {
  if (new URL(home).hostname.endsWith(".example")) {
    faults.push(`package.json: homepage is ${home}, which is nobody's: state the address of the repository`)
  }
  if (Number.parseInt(process.versions.node) < 22) {
    faults.push(`changesets publishes with Node 22.12 or later, and this is ${process.version}`)
  }
}

for (const [file, text] of files) {
  if (existsSync(root + file) && read(file) === text) continue
  if (process.argv.includes("--check")) faults.push(`${file} is not as npm run manifests writes it`)
  else writeFileSync(root + file, text)
}

for (const [file, text] of files.filter(([file]) => file.endsWith(".md"))) {
  for (const [, link] of text.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)) {
    if (link.startsWith(home) && !existsSync(root + link.slice(address("").length))) {
      faults.push(`${file}: ${link} is no file of the repository`)
    }
  }
}

for (const fault of faults) console.error(fault)
process.exitCode = faults.length === 0 ? 0 : 1
