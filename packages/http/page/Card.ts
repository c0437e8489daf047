/** One election on the page. */
import { make, Surface } from "../../simulation/report/dom.ts"
import { byOverview, byPointer } from "../../simulation/report/navigation.ts"
import { makePainter } from "../../simulation/report/Painter.ts"
import type { Theme } from "../../simulation/report/Theme.ts"
import { gutter, Timeline } from "../../simulation/report/Timeline.ts"
import { makeTooltip } from "../../simulation/report/Tooltip.ts"
import type { Model, Tenure } from "./Model.ts"
import { count, durationText } from "./words.ts"

/** The parts of the past that the buttons show, in seconds. */
const spans = [["2 min", 120], ["15 min", 900], ["1 h", 3600], ["all", Number.POSITIVE_INFINITY]] as const

/** The lines of what happened. */
const mostLines = 12

const timeOfDay = (millis: number): string => new Date(millis).toLocaleTimeString("en-GB")

export class Card {
  readonly element: HTMLElement
  private readonly model: Model
  private readonly now: () => number
  private readonly leader = make("p", { className: "leader" })
  private readonly facts = make("p", { className: "facts" })
  private readonly notice = make("p", { className: "notice" })
  private readonly fill = make("div", {})
  private readonly lease = make("div", { className: "lease" }, this.fill)
  private readonly leaseText = make("p", { className: "lease-text" })
  private readonly waitingTitle = make("h3", {})
  private readonly waiting = make("ul", { className: "waiting", tabIndex: 0 })
  private readonly happened = make("ol", { className: "happened", tabIndex: 0 })
  private readonly surfaces = { stage: surface(), axis: surface(), overview: surface() }
  private readonly timeline: Timeline
  private readonly draw: (pointer: number | undefined) => void
  private pointer: number | undefined
  /** How much of the past is shown up to now; `undefined` once the reader has moved. */
  private follows: number | undefined = 120
  private readonly buttons: ReadonlyArray<HTMLButtonElement>
  private shownBallot = ""
  private shownWaiting = ""
  private shownLines = ""

  constructor(model: Model, theme: Theme, now: () => number) {
    this.model = model
    this.now = now
    const { axis, overview, stage } = this.surfaces
    this.timeline = new Timeline(model.toTimeline(now()), () => stage.width, () => this.drawTimeline())
    this.draw = makePainter(theme, this.timeline, this.surfaces)
    const tooltip = makeTooltip(theme, this.timeline)
    const title = make("h2", { textContent: model.name, id: `election-${encodeURIComponent(model.name)}` })
    this.buttons = spans.map(([text, span]) =>
      make("button", { type: "button", textContent: text, onclick: () => this.follow(span) })
    )
    const tools = make("div", { className: "tools" }, ...this.buttons)
    tools.setAttribute("role", "group")
    tools.setAttribute("aria-label", "part of the time that is shown")
    const lanes = make("div", { className: "lanes" }, stage.canvas)
    stage.canvas.setAttribute("role", "img")
    const boxes = [
      make("div", { className: "overview" }, overview.canvas),
      make("div", { className: "axis" }, axis.canvas),
      lanes
    ]
    for (const { canvas } of [overview, axis]) canvas.setAttribute("aria-hidden", "true")
    this.lease.setAttribute("role", "meter")
    this.lease.setAttribute("aria-label", "rest of the lease in seconds")
    this.lease.setAttribute("aria-valuemin", "0")
    this.waiting.setAttribute("aria-label", "candidates that wait")
    this.happened.setAttribute("aria-label", "what happened")
    this.element = make(
      "article",
      {},
      title,
      this.leader,
      this.facts,
      this.notice,
      this.lease,
      this.leaseText,
      this.waitingTitle,
      this.waiting,
      make("h3", { textContent: "Timeline" }),
      tools,
      make("div", { className: "timeline" }, ...boxes),
      make("h3", { textContent: "What happened" }),
      this.happened
    )
    this.element.setAttribute("aria-labelledby", title.id)
    byPointer(this.timeline, stage, (event) => {
      this.pointer = event !== undefined && event.offsetX > gutter ? event.offsetX : undefined
      tooltip(event)
      this.drawTimeline()
    }, () => {})
    byOverview(this.timeline, overview)
    for (const { canvas } of [stage, overview]) {
      canvas.addEventListener("pointerdown", () => this.follow(undefined))
      canvas.addEventListener("wheel", () => this.follow(undefined))
    }
    new ResizeObserver(() => this.drawTimeline()).observe(lanes)
    this.press()
  }

  private follow(span: number | undefined): void {
    this.follows = span
    this.press()
    this.showTimeline()
  }

  private press(): void {
    for (const [i, button] of this.buttons.entries()) {
      button.setAttribute("aria-pressed", String(spans[i]![1] === this.follows))
    }
  }

  /** Shows what the model knows. */
  show(): void {
    const { model } = this
    const { challenge, config, leader } = model.status ?? {}
    const lapsed = leader !== undefined && leader !== null && this.remaining() < 0
    const isLed = this.showLeader()
    this.showLease(lapsed)
    const notices = [
      model.unreachable === undefined ? "" : `The store does not answer: ${model.unreachable}.`,
      config?.enabled === false ? "The election is disabled: nobody can lead." : "",
      challenge
        ? `${challenge.challenger ?? "An operator"} has asked the leader of term ${challenge.term} to step down.`
        : ""
    ]
    setText(this.notice, notices.filter((text) => text !== "").join(" "))
    this.element.classList.toggle("troubled", model.unreachable !== undefined || !isLed || lapsed)
    this.showWaiting()
    this.showHappened()
    this.showTimeline()
  }

  /** Tells whether somebody leads. */
  private showLeader(): boolean {
    const { status, tenure, tenures } = this.model
    const { leader, shards, slots } = status ?? {}
    if (leader) {
      setText(this.leader, leader.id)
      const since = tenure === undefined
        ? ""
        : `, since ${sinceText(tenure.startMillis)} (${durationText(this.now() - tenure.startMillis)})`
      setText(
        this.facts,
        `leads in term ${leader.term}${since}${leader.priority === 0 ? "" : `, priority ${leader.priority}`}`
      )
    } else if (slots !== undefined && slots.length > 0) {
      const held = slots.filter(({ leader }) => leader !== null)
      setText(this.leader, `${held.length} of ${count(slots.length, "slot", "slots")} held`)
      setText(
        this.facts,
        held.map(({ leader, slot }) => `slot ${slot}: ${leader!.id} in term ${leader!.term}`).join("; ")
      )
    } else if (shards !== undefined && shards.length > 0) {
      const led = shards.filter(({ leader }) => leader !== null && leader.remainingMillis >= 0)
      setText(this.leader, `${led.length} of ${count(shards.length, "shard", "shards")} led`)
      setText(this.facts, shardsText(shards))
    } else if (status === undefined) {
      setText(this.leader, "Who leads is not known")
      setText(this.facts, "")
    } else {
      const [last] = tenures
      setText(this.leader, "Nobody leads")
      setText(
        this.facts,
        last === undefined
          ? this.model.status?.config === undefined ? "the election does not exist yet" : "nobody has led yet" :
          `the last was ${last.leader} in term ${last.term}${endText(last)}`
      )
    }
    const isLed = leader !== null && leader !== undefined || (slots ?? shards ?? []).length > 0
    this.leader.classList.toggle("nobody", !isLed)
    return isLed
  }

  private remaining(): number {
    const { status } = this.model
    return status?.leader ? status.leader.remainingMillis - (this.now() - Date.parse(status.time)) : 0
  }

  private showLease(lapsed: boolean): void {
    const leader = this.model.status?.leader
    this.lease.hidden = !leader
    this.leaseText.hidden = !leader
    if (!leader) return
    const remaining = this.remaining()
    const share = Math.max(0, Math.min(1, remaining / leader.leaseMillis))
    this.lease.classList.toggle("low", share < 0.34)
    this.lease.setAttribute("aria-valuemax", String(leader.leaseMillis / 1000))
    this.lease.setAttribute("aria-valuenow", String(Math.max(0, Math.round(remaining / 1000))))
    setText(
      this.leaseText,
      lapsed
        ? `the lease lapsed ${
          durationText(-remaining)
        } ago: the leader is dead, stopped or cut off, and nobody has taken over yet`
        : `lease: ${(remaining / 1000).toFixed(1)} s left of ${leader.leaseMillis / 1000} s, ballot ${leader.ballot}`
    )
    this.leaseText.classList.toggle("lapsed", lapsed)
    const ballot = `${leader.term} ${leader.ballot}`
    if (ballot === this.shownBallot) return
    // It empties by itself until the next renewal.
    this.shownBallot = ballot
    const { style } = this.fill
    style.transition = "none"
    style.transform = `scaleX(${share})`
    void this.fill.offsetWidth
    style.transition = `transform ${Math.max(0, remaining)}ms linear`
    style.transform = "scaleX(0)"
  }

  private showWaiting(): void {
    const { status, waiting } = this.model
    const names = status?.waiting ?? waiting.map(({ id }) => id)
    const old = new Set(
      waiting.filter(({ heartbeatAgoMillis }) => heartbeatAgoMillis > 2.5 * (status?.config?.heartbeatMillis ?? 3000))
        .map(({ id }) => id)
    )
    const shown = JSON.stringify([names, [...old]])
    if (shown === this.shownWaiting) return
    this.shownWaiting = shown
    setText(
      this.waitingTitle,
      names.length === 0 ? "Nobody waits" : `${count(names.length, "candidate waits", "candidates wait")}`
    )
    this.waiting.hidden = names.length === 0
    this.waiting.replaceChildren(
      ...names.map((id) =>
        make("li", { textContent: old.has(id) ? `${id} (silent)` : id, className: old.has(id) ? "old" : "", title: id })
      )
    )
  }

  private showHappened(): void {
    const { told, tenures } = this.model
    const lines = [
      ...tenures.flatMap(({ endMillis, leader, reason, startMillis, term }) => [
        { at: startMillis, text: `${leader} leads in term ${term}` },
        ...(endMillis === null
          ? []
          : [{ at: endMillis, text: `term ${term} of ${leader} has ended: ${reason ?? "gone"}` }])
      ]),
      ...told.filter(({ event }) => !["Elected", "Resigned"].includes(event)).map(({ at, candidate, text }) => ({
        at,
        text: `${candidate} ${text}`
      }))
    ].toSorted((a, b) => b.at - a.at).slice(0, mostLines)
    const shown = JSON.stringify(lines)
    if (shown === this.shownLines) return
    this.shownLines = shown
    this.happened.replaceChildren(
      ...(lines.length === 0 ?
        [make("li", { className: "none", textContent: "nothing yet" })] :
        lines.map(({ at, text }) =>
          make(
            "li",
            {},
            make("time", { textContent: sinceText(at), dateTime: new Date(at).toISOString() }),
            make("span", { textContent: text })
          )
        ))
    )
  }

  private showTimeline(): void {
    const { surfaces: { stage }, timeline } = this
    timeline.replace(this.model.toTimeline(this.now()))
    stage.canvas.parentElement!.style.height = `${timeline.height}px`
    const leads = timeline.lanes[0]!.spans.filter(({ kind }) => kind === "leads")
    stage.canvas.setAttribute(
      "aria-label",
      `timeline of ${this.model.name}: ${count(leads.length, "tenure", "tenures")}, listed under what happened`
    )
    if (this.follows === undefined) return this.drawTimeline()
    const { duration } = timeline.data
    timeline.show(Math.max(0, duration - this.follows), duration)
  }

  private drawTimeline(): void {
    this.draw(this.pointer)
  }
}

const surface = (): Surface => new Surface(make("canvas", {}))

const setText = (element: HTMLElement, text: string): void => {
  if (element.textContent !== text) element.textContent = text
}

const isToday = (millis: number): boolean => new Date(millis).toDateString() === new Date().toDateString()

const sinceText = (millis: number): string =>
  isToday(millis) ? timeOfDay(millis) : `${new Date(millis).toLocaleDateString("en-CA")} ${timeOfDay(millis)}`

const endText = ({ endMillis, reason }: Tenure): string =>
  endMillis === null ? "" : `, which ended at ${sinceText(endMillis)}: ${reason ?? "gone"}`

const shardsText = (shards: ReadonlyArray<{ readonly leader: { readonly id: string } | null }>): string => {
  const counts = new Map<string, number>()
  for (const { leader } of shards) if (leader !== null) counts.set(leader.id, (counts.get(leader.id) ?? 0) + 1)
  return [...counts].toSorted(([, a], [, b]) => b - a).slice(0, 12).map(([id, n]) => `${id}: ${n}`).join(", ")
}
