// Bundles the command into packages/cli/bundle: what it needs, in few files, of which each subcommand loads its own. Native code stays
// outside: LMDB's binary, and the package `foundationdb`.
import { build } from "esbuild"
import { execFileSync } from "node:child_process"
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { basename, dirname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const out = join(root, "packages/cli/bundle")
const dependencies = join(root, "node_modules")

/** It changes the built files of the packages, so it cannot run where they are bundled. */
const excluded = new Set(["mutantProcess.js"])

/** Small programs that run as processes of their own are one file each; as CommonJS they take less memory. */
const isHelper = (file) => file.endsWith("Program.js")

const nameOf = (file) =>
  isHelper(file) ? basename(file).replace(/\.js$/, ".cjs") : basename(file).replace(/\.js$/, ".mjs")

/** Built files that the code refers to by their address: programs of other processes and threads, and data. */
const referred = new Set()

/** The text of a built file. In the bundle, all files to which it refers are in one directory. */
const contentsOf = (path) =>
  readFileSync(path, "utf8").replaceAll(/new URL\("([^"]+)", import\.meta\.url\)/g, (text, address) => {
    const file = join(dirname(path), address)
    if (!/\/packages\/[^/]+\/dist\//.test(file) || excluded.has(basename(file))) return text
    referred.add(file)
    return `new URL("./${nameOf(file)}", import.meta.url)`
  })

const addresses = {
  name: "addresses",
  setup: ({ onLoad }) =>
    onLoad({ filter: /\/packages\/[^/]+\/dist\/.*\.js$/ }, ({ path }) => ({ loader: "js", contents: contentsOf(path) }))
}

const lmdb = {
  name: "lmdb",
  setup: ({ onResolve }) => {
    onResolve({ filter: /^node-gyp-build-optional-packages$/ }, () => ({
      path: join(root, "scripts/bundle/lmdbBinary.mjs")
    }))
    // Without the native part, which this command has no use for: its records are bytes.
    onResolve({ filter: /^msgpackr$/ }, () => ({ path: join(dependencies, "msgpackr/pack.js") }))
  }
}

/** Parts that the library of the command line brings along, and that no flag of this command uses: prompts, and formats of files. */
const unused = {
  name: "unused",
  setup: ({ onLoad }) =>
    onLoad({ filter: /\/effect\/dist\/(cli\/Prompt|encoding\/(Ini|Toml|Yaml))\.js$/ }, () => ({
      loader: "js",
      contents: "module.exports = {}"
    }))
}

/** Makes the segmenter when a text needs it: most have ASCII only, and its tables take twelve milliseconds. */
const segmenter = {
  name: "segmenter",
  setup: ({ onLoad }) =>
    onLoad({ filter: /\/string-width\/index\.js$/ }, ({ path }) => {
      const text = readFileSync(path, "utf8")
      const contents = text
        .replace("const segmenter = new Intl.Segmenter();", "let segmenter;")
        .replace("segmenter.segment(string)", "(segmenter ??= new Intl.Segmenter()).segment(string)")
      if (contents.includes("const segmenter") || !contents.includes("??= new")) throw new Error(`${path} has changed`)
      return { loader: "js", contents }
    })
}

const require = createRequire(import.meta.url)

/** Node's own modules by `require`: as an ECMAScript module, `node:fs` loads all of Node's streams. */
const builtins = {
  name: "builtins",
  setup: ({ onLoad, onResolve }) => {
    onResolve(
      { filter: /^node:/ },
      ({ path }) => path === "node:module" ? undefined : { path, namespace: "builtin", sideEffects: false }
    )
    onLoad({ filter: /.*/, namespace: "builtin" }, ({ path }) => {
      const module = require(path)
      // What Node makes when it is asked for is left out; the build fails if something imports it.
      const names = Object.entries(Object.getOwnPropertyDescriptors(module))
        .flatMap(([name, { get }]) => get === undefined && /^[\w$]+$/.test(name) ? [name] : [])
      const contents = [
        `const builtin = /* @__PURE__ */ $require(${JSON.stringify(path)})`,
        "export default builtin",
        ...names.map((name) =>
          `const $${name} = /* @__PURE__ */ (() => builtin.${name})(); export { $${name} as ${name} }`
        )
      ]
      return { loader: "js", contents: contents.join("\n") }
    })
  }
}

const program = join(root, "packages/cli/dist/internal/program.js")

/**
 * What is loaded by need gets all that the program is made of as its own dependency. It is loaded by then; so the program is one file
 * instead of one for each combination of files that need a part of it.
 */
const byNeed = {
  name: "byNeed",
  setup: ({ onLoad, onResolve, resolve }) => {
    onResolve({ filter: /.*/ }, async ({ importer, kind, path, pluginData, resolveDir }) => {
      if (kind !== "dynamic-import" || pluginData === "resolved") return undefined
      const resolved = await resolve(path, { importer, kind, pluginData: "resolved", resolveDir })
      return resolved.path === program ? undefined : { ...resolved, pluginData: "by need" }
    })
    onLoad({ filter: /\.js$/ }, ({ path, pluginData }) =>
      pluginData !== "by need" ? undefined : {
        loader: "js",
        contents: `${contentsOf(path)}\nexport { run as $program } from ${JSON.stringify(program)}\n`
      })
  }
}

const options = {
  bundle: true,
  format: "esm",
  entryNames: "[name]",
  platform: "node",
  target: "node20",
  minify: true,
  legalComments: "none",
  external: ["foundationdb"],
  outdir: out,
  outExtension: { ".js": ".mjs" },
  banner: {
    js: "import{createRequire as $createRequire}from\"node:module\";const $require=$createRequire(import.meta.url);"
  },
  metafile: true,
  plugins: [builtins, lmdb, unused, segmenter, addresses],
  define: { LMDB_VERSION: JSON.stringify(JSON.parse(readFileSync(join(dependencies, "lmdb/package.json"))).version) },
  logLevel: "error"
}

const isProgram = (file) => file.endsWith(".js")

const bundle = async () => {
  const programs = [...referred].filter(isProgram)
  rmSync(out, { recursive: true, force: true })
  mkdirSync(out)
  for (const file of referred) if (!isProgram(file)) copyFileSync(file, join(out, basename(file)))
  const command = {
    ...options,
    entryPoints: [join(root, "packages/cli/dist/bin.js")],
    plugins: [byNeed, ...options.plugins],
    splitting: true
  }
  const others = { ...options, entryPoints: programs.filter((file) => !isHelper(file)), splitting: true }
  const helpers = {
    ...options,
    entryPoints: programs.filter(isHelper),
    format: "cjs",
    define: { "import.meta.url": "$url" },
    banner: { js: "const $require=require,$url=require(\"node:url\").pathToFileURL(__filename).href;" },
    outExtension: { ".js": ".cjs" }
  }
  return [await build(command), await build(others), await build(helpers)]
}

// What `--help` prints, for the program to print without being loaded.
const helps = join(root, "packages/cli/dist/helps.json")
rmSync(helps, { force: true })
const { FORCE_COLOR: _, ...env } = process.env
writeFileSync(helps, execFileSync(process.execPath, [join(root, "scripts/bundle/helps.mjs")], { env }))

let results = await bundle()
// A program that is found may refer to others.
for (let known = 0; known < referred.size;) {
  known = referred.size
  results = await bundle()
}

// Programs of other processes and threads start fast, and take little memory.
for (const { metafile } of results.slice(1)) {
  if (relative(process.cwd(), program) in metafile.inputs) {
    throw new Error("a program beside the command contains all of the command")
  }
}

/** The licence of each package in the bundle that is not of this repository. */
const packages = new Set(
  results.flatMap(({ metafile }) => Object.keys(metafile.inputs)).flatMap((input) =>
    /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0] ?? []
  )
)
const licences = [...packages].toSorted().map((directory) => {
  const { license, name, version } = JSON.parse(readFileSync(join(directory, "package.json"), "utf8"))
  const file = ["LICENSE", "LICENSE.md", "LICENSE.txt", "license"].find((name) => existsSync(join(directory, name)))
  const text = file === undefined ? "" : `\n${readFileSync(join(directory, file), "utf8").trim()}\n`
  return `${name} ${version} (${license})\n${text}`
})
writeFileSync(join(out, "LICENSES.txt"), `The bundle contains code of these packages.\n\n${licences.join("\n\n")}`)

if (process.argv.includes("--list")) {
  for (const { metafile } of results) {
    for (const [file, { bytes, entryPoint, inputs }] of Object.entries(metafile.outputs)) {
      const largest = Object.entries(inputs).toSorted(([, a], [, b]) => b.bytesInOutput - a.bytesInOutput).slice(
        0,
        Number(process.env.TOP ?? 8)
      )
      console.log(relative(out, file), bytes, entryPoint ?? "")
      for (const [input, { bytesInOutput }] of largest) console.log("  ", bytesInOutput, input)
    }
  }
}
