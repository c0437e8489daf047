/** The program of the page: it follows `events`, and shows a card for each election. */
import { byId } from "../../simulation/report/dom.ts"
import { Theme } from "../../simulation/report/Theme.ts"
import { Card } from "./Card.ts"
import { Model, type Status, type Tenure } from "./Model.ts"
import { eventText } from "./words.ts"

/** The page may be mounted anywhere, with or without a slash at its end. */
const base = `${location.pathname.replace(/\/?$/, "/")}`

const theme = new Theme()
const models = new Map<string, Model>()
const cards = new Map<string, Card>()

/** The difference of this browser's clock from that of the server. */
let ahead = 0
const now = (): number => Date.now() - ahead

const news = byId("news")
const connection = byId("connection")

const modelOf = (name: string): Model => {
  const known = models.get(name)
  if (known !== undefined) return known
  const model = new Model(name)
  const card = new Card(model, theme, now)
  models.set(name, model)
  cards.set(name, card)
  byId("elections").append(card.element)
  return model
}

/** Reads the tenures anew, since who leads may have changed. */
const readTenures = (model: Model): void => {
  if (model.status?.config === undefined) return
  fetch(`${base}history?limit=100&election=${encodeURIComponent(model.name)}`)
    .then((response) => response.ok ? response.json() : [])
    .then((tenures: ReadonlyArray<Tenure>) => {
      model.tenures = tenures
      cards.get(model.name)?.show()
    })
    .catch(() => {})
}

const leaderText = ({ name, status }: Model): string =>
  status?.leader ? `${name}: ${status.leader.id} leads in term ${status.leader.term}` : `${name}: nobody leads`

const took = (status: Status): void => {
  ahead = Date.now() - Date.parse(status.time)
  const model = modelOf(status.election)
  if (status.unreachable !== undefined) {
    model.unreachable = status.unreachable
    return cards.get(status.election)?.show()
  }
  const { status: before } = model
  model.took(status)
  if (before === undefined || before.leader?.term !== status.leader?.term) {
    readTenures(model)
    if (before !== undefined) news.textContent = leaderText(model)
  }
  document.title = [...models.values()].map((model) => model.status?.leader?.id ?? "nobody").join(", ") + " – elections"
  cards.get(status.election)?.show()
}

type EventData = { readonly time: string; readonly election: string; readonly candidate?: string } & {
  readonly [name: string]: unknown
}

const tells = (event: string, data: EventData): void => {
  const text = eventText(event, data)
  if (text === undefined || data.candidate === undefined) return
  const model = modelOf(data.election)
  model.tells({ at: Date.parse(data.time), event, candidate: data.candidate, text })
  if (event === "Lost" || event === "Resigned" || event === "Elected") readTenures(model)
}

const source = new EventSource(`${base}events${location.search}`)
const on = (event: string, act: (data: never) => void): void =>
  source.addEventListener(event, ({ data }) => act(JSON.parse(data as string) as never))

on("Status", took)
on("StatusChanged", (data: EventData) => readTenures(modelOf(data.election)))

const told = [
  "Registered",
  "Superseded",
  "ConfigDiffers",
  "Challenged",
  "Elected",
  "RenewalFailed",
  "Lost",
  "Overrun",
  "Resigned",
  "Evicted",
  "Retried"
]
for (const event of told) on(event, (data: EventData) => tells(event, data))

const connected = (isConnected: boolean, text: string): void => {
  if (connection.textContent !== text) connection.textContent = text
  connection.classList.toggle("broken", !isConnected)
}
source.addEventListener("open", () => connected(true, "live"))
source.addEventListener(
  "error",
  () => connected(false, "the connection is lost: what is shown may be old; connecting again")
)

theme.onChange(() => {
  for (const card of cards.values()) card.show()
})
setInterval(() => {
  for (const card of cards.values()) card.show()
}, 500)
