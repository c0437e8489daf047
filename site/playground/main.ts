/** The controls of the playground. A worker simulates, and its last history is shown as the report that `fdb-election simulate` writes. */
import { Mutants, Profile } from "@effect-fdb/simulation"
import type { Order, Result } from "./worker.ts"

/** Set by the build: the mutants that have a worker of their own. */
declare const shown: ReadonlyArray<string>

const seconds = 120
/** A mutant need not show in every history. */
const seedsOfMutant = 60

const find = <Type extends HTMLElement>(id: string) => document.getElementById(id) as Type
const form = find<HTMLFormElement>("order")
const [profile, mutant] = [find<HTMLSelectElement>("profile"), find<HTMLSelectElement>("mutant")]
const [lease, seed] = [find<HTMLInputElement>("lease"), find<HTMLInputElement>("seed")]
const [about, status, violations] = [find("about"), find("status"), find("violations")]
const [run, another] = [find<HTMLButtonElement>("run"), find<HTMLButtonElement>("another")]
const report = find<HTMLIFrameElement>("report")

const mutants = Mutants.all.filter(({ name }) => shown.includes(name))
const chosen = () => mutants.find(({ name }) => name === mutant.value)

const option = (value: string, text = value) => new Option(text, value)
profile.append(...Profile.names.map((name) => option(name)))
mutant.append(option("", "none"), ...mutants.map(({ name }) => option(name)))
profile.value = "network"

let worker: Worker | undefined

const tell = (text: string, kind = "") => {
  status.textContent = text
  status.className = kind
}

const describe = () => {
  const broken = chosen()
  // A mutant shows with the faults of its own profile.
  if (broken !== undefined && "profile" in broken.noticedBy) profile.value = broken.noticedBy.profile
  profile.disabled = broken !== undefined
  const faults = Profile.descriptions[profile.value as Profile.Name]
  about.textContent = broken === undefined
    ? `Faults: ${faults}.`
    : `Broken on purpose: ${broken.wrong}. Faults: ${faults}.`
  find<HTMLOutputElement>("seconds").value = `${lease.value} s`
}

const show = ({ page, seed: last, violations: found }: Result, first: number) => {
  seed.value = String(last)
  if (page === undefined) return tell(`Seed ${last} kept every guarantee. The next one is simulated …`)
  const tried = last - first + 1
  const of = tried === 1 ? `Seed ${last}` : `${tried} seeds were simulated. The last one, seed ${last},`
  tell(
    found.length === 0 ? `${of} kept every guarantee.` : `${of} violated a guarantee.`,
    found.length === 0 ? "kept" : "violated"
  )
  violations.replaceChildren(
    ...found.slice(0, 5).map((text) => Object.assign(document.createElement("li"), { textContent: text }))
  )
  // Not by `srcdoc`: the report keeps its place in its address.
  const shownIn = report.contentDocument!
  shownIn.open()
  shownIn.write(page)
  shownIn.close()
  report.hidden = false
  run.disabled = another.disabled = false
}

const start = () => {
  worker?.terminate()
  violations.replaceChildren()
  run.disabled = another.disabled = true
  const first = seed.valueAsNumber
  tell(`Seed ${first} is simulated …`)
  worker = new Worker(`worker${mutant.value === "" ? "" : `.${mutant.value}`}.js`, { type: "module" })
  worker.addEventListener("message", ({ data }: MessageEvent<Result>) => show(data, first))
  worker.addEventListener("error", ({ message }) => {
    tell(`The simulation failed: ${message}`, "violated")
    run.disabled = another.disabled = false
  })
  const order: Order = {
    profile: profile.value as Profile.Name,
    seed: first,
    seeds: chosen() === undefined ? 1 : seedsOfMutant,
    duration: seconds,
    lease: lease.valueAsNumber
  }
  worker.postMessage(order)
}

form.addEventListener("input", describe)
form.addEventListener("submit", (event) => {
  event.preventDefault()
  start()
})
another.addEventListener("click", () => {
  seed.value = String(seed.valueAsNumber + 1)
  start()
})
describe()
