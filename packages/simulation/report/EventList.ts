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

export class EventList {
  private readonly list = byId("log")
  private readonly filter = byId<HTMLInputElement>("filter")
  private readonly everything = byId<HTMLInputElement>("everything")
  private readonly count = byId("count")
  private readonly theme: Theme
  private readonly timeline: Timeline
  private readonly places: ReadonlyMap<string, number | undefined>
  /** The lines, with the times of their events. */
  private lines: ReadonlyArray<readonly [number, HTMLElement]> = []

  constructor(theme: Theme, timeline: Timeline) {
    this.theme = theme
    this.timeline = timeline
    this.places = new Map(timeline.lanes.map(({ name, place }) => [name, place]))
    this.filter.addEventListener("input", () => this.show())
    this.everything.addEventListener("change", () => this.show())
    byId("events").querySelector("form")!.addEventListener("submit", (event) => event.preventDefault())
  }

  show(): void {
    const { data, from, to } = this.timeline
    const isShown = (at: number): boolean => at >= from && at <= to
    const broken = data.violations.map((
      { at, checker, lane, message }
    ): LogEntry => [at, lane ?? "", `✗ ${checker}`, message])
    const shown = [...data.log.filter((entry) => this.isWanted(entry)), ...broken].filter(([at]) => isShown(at))
      .toSorted(([a], [b]) => a - b)
    this.lines = shown.slice(0, most).map((entry) => [entry[0], this.line(entry)])
    this.list.replaceChildren(...this.lines.map(([, line]) => line))
    this.count.textContent = shown.length <= most
      ? `${shown.length} ${shown.length === 1 ? "event" : "events"} in this part`
      : `the first ${most} of ${shown.length} events: zoom in to see the others`
  }

  /** Marks the event nearest to an instant. */
  point(at: number): void {
    for (const [, line] of this.lines) line.classList.remove("near")
    const distance = ([time]: readonly [number, HTMLElement]): number => Math.abs(time - at)
    const [nearest] = this.lines.toSorted((a, b) => distance(a) - distance(b))
    nearest?.[1].classList.add("near")
    nearest?.[1].scrollIntoView({ block: "center" })
  }

  private isWanted([, who, what, rest]: LogEntry): boolean {
    const text = this.filter.value.trim().toLowerCase()
    if (text !== "") return `${who} ${what} ${rest}`.toLowerCase().includes(text)
    return this.everything.checked || !routine.has(what)
  }

  private line([at, who, what, rest]: LogEntry): HTMLElement {
    const owner = make("span", { textContent: who })
    const place = this.places.get(who.split("#")[0]!)
    if (place !== undefined) owner.style.color = this.theme.ink(place)
    return make(
      "p",
      { className: what.startsWith("✗") ? "bad" : "", onclick: () => this.timeline.visit(at, 8) },
      make("span", { textContent: `${at.toFixed(6)} s` }),
      owner,
      make("span", { textContent: what }),
      make("span", { textContent: rest })
    )
  }
}
