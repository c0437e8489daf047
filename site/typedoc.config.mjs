// The site of `npm run docs`: the API of every published package, the guides, and the README as the first page.
import { readdirSync, readFileSync } from "node:fs"
import { Converter, JSX, ReflectionKind } from "typedoc"

const packages = new URL("../packages/", import.meta.url)
const isPublished = (name) => !JSON.parse(readFileSync(new URL(`${name}/package.json`, packages), "utf8")).private

/** Names modules as one imports them and guides by their titles, and leads to the playground. */
const ours = ({ converter, renderer }) => {
  converter.on(Converter.EVENT_CREATE_DECLARATION, (_context, reflection) => {
    if (reflection.kind !== ReflectionKind.Module) return
    reflection.name = reflection.name.replace(/^(.*)\/src$/, "@effect-fdb/$1")
  })
  converter.on(Converter.EVENT_CREATE_DOCUMENT, (_context, guide) => {
    const [, title] = /^# (.*)$/m.exec(guide.content[0]?.text ?? "") ?? []
    if (title !== undefined) guide.name = title
  })
  renderer.hooks.on(
    "sidebar.begin",
    ({ relativeURL }) =>
      JSX.createElement("p", {}, JSX.createElement("a", { href: relativeURL("playground/index.html") }, "Playground"))
  )
}

/** @type {import("typedoc").TypeDocOptions} */
export default {
  name: "effect-fdb",
  plugin: [ours],
  readme: "../README.md",
  projectDocuments: ["../docs/*.md"],
  entryPoints: readdirSync(packages).filter(isPublished).map((name) => `../packages/${name}/src/index.ts`),
  tsconfig: "tsconfig.json",
  // Types are checked by the compiler of the project, of which TypeDoc cannot make use yet.
  skipErrorChecking: true,
  customCss: "style.css",
  out: "dist",
  disableGit: true,
  disableSources: true,
  excludeExternals: true,
  excludePrivate: true,
  hideGenerator: true,
  navigation: { includeGroups: false, includeCategories: true },
  highlightLanguages: ["console", "ini", "javascript", "json", "sh", "text", "typescript", "yaml"],
  externalSymbolLinkMappings: { effect: { "*": "#" } },
  validation: { notExported: false, invalidLink: true, invalidPath: true },
  treatWarningsAsErrors: true
}
