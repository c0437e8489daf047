import { assert, describe, it } from "@effect/vitest"
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { afterEach, beforeEach, vi } from "vitest"
import { examples as programs } from "../src/examples.ts"

const root = path.resolve(import.meta.dirname, "../..")
/** Within the workspace, so that its packages are found; not kept by git. */
const scratch = path.join(root, "examples/dist/readme")

const read = (page: string) => readFileSync(path.join(root, page), "utf8")

/** The blocks of one language in a page, in order. */
const blocks = (page: string, language: string) =>
  [...read(page).matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"))].map(([, code]) => code!)

/** The modules of all packages, as paths from the root. */
const modules = readdirSync(path.join(root, "packages")).flatMap((name) => {
  const src = path.join("packages", name, "src")
  if (!existsSync(path.join(root, src))) return []
  return (readdirSync(path.join(root, src), { recursive: true }) as Array<string>)
    .filter((file) => file.endsWith(".ts"))
    .map((file) => path.join(src, file))
}).toSorted()

/** The docstrings of a module, without their asterisks. */
const docstrings = (module: string) =>
  [...read(module).matchAll(/\/\*\*(.*?)\*\//gs)].map(([, text]) => text!.replaceAll(/^ *\* ?/gm, ""))

/** Whether a package of ours exports a name. */
const exportsName = (name: string, exported: string) =>
  new RegExp(`\\bas ${exported}\\b|^export.*\\b${exported}\\b|^ {2}${exported}\\b`, "m")
    .test(read(`packages/${name}/src/index.ts`))

/** What the examples of one line speak of. */
const subjects = {
  election: "LeaderElection.make(Subspace.fromTuple([\"app\", \"mailer\"]))",
  queues: "LeaderElection.shards(Subspace.fromTuple([\"app\", \"queues\"]), { shards: 256 })",
  slots: "LeaderElection.slots(Subspace.fromTuple([\"app\", \"importers\"]), 3)"
}

/** An example of one line, with the imports that it takes, and what it speaks of. */
const withImports = (code: string, module: string) => {
  const own = module.split("/")[1]!
  const context = Object.entries(subjects)
    .filter(([name]) => new RegExp(`(?<!const |")\\b${name}\\b`).test(code))
    .map(([name, made]) => `const ${name} = ${made}\n`)
    .join("")
  const names = new Set(`${context}${code}`.match(/(?<![\w.$"'`])[A-Z]\w+/g)?.filter((name) => !(name in globalThis)))
  const imports = [...names].flatMap((name) => {
    const from = [own, "core"].find((from) => exportsName(from, name))
    if (from !== undefined) return [`import { ${name} } from "@effect-fdb/${from}"\n`]
    return existsSync(path.join(root, `node_modules/effect/dist/${name}.js`))
      ? [`import { ${name} } from "effect"\n`]
      : []
  })
  return `${imports.join("")}${context}${code.replace(/^const /, "export const ")}\n`
}

/** The examples in the docstrings of a module. */
const examplesIn = (module: string) =>
  docstrings(module).flatMap((text) => [
    ...[...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code!),
    ...[...text.matchAll(/^@example (.+)$/gm)].map(([, code]) => withImports(code!, module))
  ])

const pages = [
  "README.md",
  ...readdirSync(path.join(root, "docs")).filter((file) => file.endsWith(".md")).map((file) => `docs/${file}`),
  ...readdirSync(path.join(root, "packages")).map((name) => `packages/${name}/README.md`)
    .filter((page) => existsSync(path.join(root, page)))
]

beforeEach(() => {
  rmSync(scratch, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
  mkdirSync(scratch, { recursive: true })
})

afterEach(() => {
  rmSync(scratch, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
})

describe("the first program of the README", () => {
  const [program] = blocks("README.md", "ts")

  it("has twenty lines at most", () => {
    assert.isAtMost(program!.split("\n").filter((line) => line !== "").length, 20)
  })

  it("runs as shown, and prints what the README says", async () => {
    const file = path.join(scratch, "first.mjs")
    writeFileSync(file, program!)
    const log = vi.spyOn(console, "log").mockImplementation(() => {})
    await import(file)
    const printed = log.mock.calls.map(([line]) => String(line)).filter((line) => /^\w+ (leads|has stopped)/.test(line))
    log.mockRestore()
    // Who comes first is a race; that they come one after another is not.
    const shown = blocks("README.md", "text").find((block) => block.startsWith("ada leads"))!.trim().split("\n")
    const order = printed.filter((_, i) => i % 2 === 0).map((line) => line.split(" ")[0]!)
    const names = ["ada", "grace", "mary"]
    assert.sameMembers(order, names)
    assert.deepStrictEqual(printed, shown.map((line) => line.replace(/^\w+/, (name) => order[names.indexOf(name)]!)))
  })
})

/** A process that runs a program of the README, as printed, beside others that share its store. */
class Program {
  printed = ""
  private readonly child: ChildProcess
  readonly ended: Promise<number | null>

  constructor(file: string, cwd: string) {
    this.child = spawn(process.execPath, [file], { cwd, stdio: ["ignore", "pipe", "pipe"] })
    const take = (chunk: Buffer) => {
      this.printed += chunk.toString()
    }
    this.child.stdout!.on("data", take)
    this.child.stderr!.on("data", take)
    this.ended = new Promise((resolve) => this.child.once("exit", resolve))
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }
}

describe("the README's programs for many processes", () => {
  const programs = blocks("README.md", "ts").filter((code) =>
    code.includes("LmdbDatabase.layer") && code.includes("runMain")
  )
  const names = ["the second program", "the background service"]

  it("are all run", () => {
    assert.lengthOf(programs, names.length)
  })

  for (const [i, name] of names.entries()) {
    it(`${name} runs in two processes as printed: one works, and when that ends the other does`, async () => {
      const file = path.join(scratch, "program.mjs")
      writeFileSync(file, programs[i]!)
      const works = /leads in term|sends the outbox/
      const both = [new Program(file, scratch), new Program(file, scratch)]
      try {
        const working = await vi.waitUntil(() => both.find(({ printed }) => works.test(printed)), { timeout: 120_000 })
        const waiting = both.find((program) => program !== working)!
        assert.notMatch(waiting.printed, works)
        working.kill("SIGINT")
        await working.ended
        await vi.waitUntil(() => works.test(waiting.printed), { timeout: 120_000 })
        waiting.kill("SIGTERM")
        await waiting.ended
        for (const { printed } of both) assert.notMatch(printed, /ERROR|WARN/)
      } finally {
        for (const program of both) program.kill("SIGKILL")
      }
    })
  }
})

describe("the documentation", () => {
  it("shows code that type-checks", () => {
    const shown = [
      ...pages.map((page) => [page, blocks(page, "ts")] as const),
      ...modules.map((module) => [module, examplesIn(module)] as const)
    ]
    const files = shown.flatMap(([source, codes]) =>
      codes.map((code, i) => {
        const file = path.join(scratch, `${source.replaceAll(/\W/g, "-")}-${i}.ts`)
        writeFileSync(file, code)
        return file
      })
    )
    assert.isTrue(files.length >= 60)
    writeFileSync(
      path.join(scratch, "tsconfig.json"),
      JSON.stringify({
        extends: "../../../tsconfig.base.json",
        compilerOptions: {
          composite: false,
          noEmit: true,
          // What only the result of an example names is imported, too.
          noUnusedLocals: false,
          declaration: false,
          declarationMap: false,
          customConditions: ["@effect-fdb/source"]
        },
        files
      })
    )
    const compiler = path.join(root, "node_modules/typescript/bin/tsc")
    const { status, stdout } = spawnSync(process.execPath, [compiler, "-p", scratch], { encoding: "utf8" })
    assert.strictEqual(status, 0, stdout)
  })

  it("shows in docstrings what expressions give", async () => {
    const claims = /^(.+) \/\/ => (.+)$/gm
    const examples = modules.flatMap(examplesIn).filter((code) => code.search(claims) !== -1)
    assert.isTrue(examples.length >= 20)
    const check = `import { assert as $assert } from "@effect/vitest"
import { Equal as $Equal } from "effect"
const $check = (actual: unknown, expected: unknown, line: string) => $Equal.equals(actual, expected) || $assert.deepEqual(actual, expected, line)
`
    for (const [i, code] of examples.entries()) {
      const file = path.join(scratch, `claim-${i}.ts`)
      const checked = code.replaceAll(
        claims,
        (line, actual, expected) => `$check(${actual}, ${expected}, ${JSON.stringify(line)})`
      )
      writeFileSync(file, check + checked)
      await import(file)
    }
  })

  it("has for each public name a docstring, with @since and @category", () => {
    const lacking = modules
      .filter((module) =>
        /^packages\/(core|leader-election|database-config|lmdb|native)\/src\/(?!index|internal|conformance)/.test(
          module
        )
      )
      .flatMap((module) =>
        [
          ...read(module).matchAll(
            /(\/\*\*(?:(?!\*\/).)*\*\/\n)?^export (?:const|class|interface|type|function) (\w+)/gms
          )
        ]
          .filter(([, docstring = ""]) => !/@internal|@since \d.*@category \w/s.test(docstring))
          .map(([, , name]) => `${module} ${name}`)
      )
    assert.deepStrictEqual(lacking, [])
  })

  for (const page of pages) {
    it(`${page} links to what is there`, () => {
      const anchors = (text: string) =>
        [...text.matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
          title!.toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").replaceAll(" ", "-")
        )
      for (const [, target] of read(page).matchAll(/\]\(([^)]+)\)/g)) {
        if (/^https?:/.test(target!)) continue
        const [file, anchor] = target!.split("#")
        const linked = file === "" ? page : path.join(path.dirname(page), file!)
        assert.isTrue(existsSync(path.join(root, linked)), `${page} links to ${linked}`)
        if (anchor !== undefined) assert.include(anchors(read(linked)), anchor)
      }
    })
  }

  it("names in the glossary files and names that exist", () => {
    const sources = modules.map(read).join("\n")
    const named = read("docs/glossary.md").split("\n").flatMap((
      line
    ) => [...line.split("|").at(-2)?.matchAll(/`([^`]+)`/g) ?? []])
    assert.isTrue(named.length > 60)
    const exists = (name: string) =>
      /\.ts$|\/$/.test(name)
        ? modules.some((module) => module.includes(`/${name}`))
        : name.split(".").every((part) => new RegExp(`\\b${part}\\b`).test(sources))
    assert.deepStrictEqual(named.map(([, name]) => name!).filter((name) => !exists(name)), [])
  })

  it("names scripts that exist, and examples as they are called", () => {
    const scripts = Object.keys((JSON.parse(read("package.json")) as { scripts: Record<string, string> }).scripts)
    for (const [, script] of read("README.md").matchAll(/npm run ([\w:]+)/g)) assert.include(scripts, script)
    const listed = [...read("README.md").matchAll(/^\| `([a-z-]+)` /gm)].map(([, name]) => name!)
    assert.sameMembers(listed, Object.keys(programs))
  })

  it("names tests that exist", () => {
    const folder = "packages/leader-election/test"
    const tests = (readdirSync(path.join(root, folder), { recursive: true }) as Array<string>)
      .filter((file) => file.endsWith(".test.ts"))
      .map((file) => read(path.join(folder, file)))
      .join("\n")
    const titles = [...tests.matchAll(/["`]([^"`\n]* [^"`\n]*)["`]/g)].map(([, title]) =>
      new RegExp(`^${title!.split(/\$\{[^}]*\}/).map((part) => part.replaceAll(/[^\w\s]/g, "\\$&")).join(".*")}$`)
    )
    const named = read("docs/protocol.md").split("\n\n").flatMap((paragraph) =>
      [...(paragraph.split("Tests: ")[1] ?? "").replaceAll(/\s+/g, " ").matchAll(/"([^"]+)"/g)].map(([, name]) => name!)
    )
    assert.isTrue(named.length > 40)
    assert.deepStrictEqual(named.filter((name) => !titles.some((title) => title.test(name))), [])
  })
})
