/** The list of the visible events, with a search. */
import type { LogEntry } from "../src/internal/reportData.ts"
import { byId, make } from "./dom.ts"
import type { Theme } from "./Theme.ts"
import type { Timeline } from "./Timeline.ts"

/** The largest number of lines. */
const most = 1000

const routine = new Set(
  ["renewed", "step", "guarded", "noted", "fault", "clock", "accepts", "refuses", "conflict", "done"]
)

export const makeEventList = (theme: Theme, timeline: Timeline) => {
  const filter = byId<HTMLInputElement>("filter")
  const everything = byId<HTMLInputElement>("everything")
  const places = new Map(timeline.lanes.map(({ name, place }) => [name, place]))
  /** The lines, with the times of their events. */
  let lines: ReadonlyArray<readonly [number, HTMLElement]> = []

  const isWanted = ([, who, what, rest]: LogEntry): boolean => {
    const text = filter.value.trim().toLowerCase()
    if (text !== "") return `${who} ${what} ${rest}`.toLowerCase().includes(text)
    return everything.checked || !routine.has(what)
  }

  const toLine = ([at, who, what, rest]: LogEntry): HTMLElement => {
    const owner = make("span", { textContent: who })
    const place = places.get(who.split("#")[0]!)
    if (place !== undefined) owner.style.color = theme.ink(place)
    return make(
      "p",
      { className: what.startsWith("✗") ? "bad" : "", onclick: () => timeline.visit(at, 8) },
      make("span", { textContent: `${at.toFixed(6)} s` }),
      owner,
      make("span", { textContent: what }),
      make("span", { textContent: rest })
    )
  }

  const show = (): void => {
    const { data, from, to } = timeline
    const broken = data.violations.map((
      { at, checker, lane, message }
    ): LogEntry => [at, lane ?? "", `✗ ${checker}`, message])
    const shown = [...data.log.filter(isWanted), ...broken].filter(([at]) => at >= from && at <= to)
      .toSorted(([a], [b]) => a - b)
    lines = shown.slice(0, most).map((entry) => [entry[0], toLine(entry)])
    byId("log").replaceChildren(...lines.map(([, line]) => line))
    byId("count").textContent = shown.length <= most
      ? `${shown.length} ${shown.length === 1 ? "event" : "events"} in this part`
      : `the first ${most} of ${shown.length} events: zoom in to see the others`
  }

  filter.addEventListener("input", show)
  everything.addEventListener("change", show)
  byId("events").querySelector("form")!.addEventListener("submit", (event) => event.preventDefault())

  return {
    show,
    /** Marks the event nearest to an instant. */
    point: (at: number): void => {
      for (const [, line] of lines) line.classList.remove("near")
      const distance = ([time]: readonly [number, HTMLElement]): number => Math.abs(time - at)
      const [nearest] = lines.toSorted((a, b) => distance(a) - distance(b))
      nearest?.[1].classList.add("near")
      nearest?.[1].scrollIntoView({ block: "center" })
    }
  }
}
