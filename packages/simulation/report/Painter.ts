/** Draws the timeline: the lanes, the axis above them, and the overview of the whole. */
import type { Lane, Lease, Span, Violation } from "../src/internal/reportData.ts"
import { font, type Surface } from "./dom.ts"
import { box, type Look, type MarkLooks, markLooks, plainLook, shape, spanLooks } from "./looks.ts"
import { faint, type Theme } from "./Theme.ts"
import { gutter, type PlacedLane, type Timeline } from "./Timeline.ts"

/** The offset of the text of a mark in its lane. */
const textRow: { readonly [kind in Lane["kind"]]: number } = {
  process: 6,
  database: 44,
  simulation: 14,
  operator: 14,
  leader: 15
}

export class Painter {
  /** The x of the pointer: a line through all lanes. */
  pointer: number | undefined
  private readonly theme: Theme
  private readonly timeline: Timeline
  private readonly stage: Surface
  private readonly axis: Surface
  private readonly overview: Surface

  constructor(
    theme: Theme,
    timeline: Timeline,
    surfaces: { readonly [name in "stage" | "axis" | "overview"]: Surface }
  ) {
    this.theme = theme
    this.timeline = timeline
    this.stage = surfaces.stage
    this.axis = surfaces.axis
    this.overview = surfaces.overview
  }

  /** The kinds of marks, the most important last. */
  get ranks(): ReadonlyArray<string> {
    return Object.keys(markLooks(this.theme))
  }

  draw(): void {
    const { stage, theme: { colours }, timeline } = this
    const { brush, width } = stage
    stage.clear()
    const ticks = this.ticks()
    this.drawAxis(ticks)
    timeline.lanes.forEach(({ height, y }, index) => {
      if (index % 2 === 0) box(brush, colours.lane, 0, y, width, height)
    })
    for (const at of ticks.times) box(brush, colours.line, Math.round(timeline.x(at)), 0, 1, timeline.height)
    this.clipped(stage, () => this.drawLanes())
    for (const lane of timeline.lanes) this.drawName(lane)
    this.drawOverview()
  }

  private drawLanes(): void {
    const { stage: { brush, width }, theme: { colours }, timeline } = this
    const { data, height, lanes } = timeline
    if (data.quietAt < data.duration) {
      const x = timeline.x(data.quietAt)
      box(brush, faint(colours.good, 8), x, 0, width, height)
      brush.fillStyle = colours.good
      brush.font = font(11.5)
      brush.fillText("no faults", Math.max(x, gutter) + 6, height - 42)
    }
    const near = data.violations.filter(({ at }) => timeline.x(at) > gutter - 20 && timeline.x(at) < width + 20)
    this.lightLanes(near)
    const [spans, marks] = [spanLooks(this.theme), markLooks(this.theme)]
    for (const lane of lanes) this.drawLane(lane, spans, marks)
    let last = -9
    for (const { at } of near) {
      const x = timeline.x(at)
      const dense = x - last < 8
      if (dense) box(brush, faint(colours.bad, 40), x - 0.5, 0, 1, height)
      else box(brush, colours.bad, x - 1, 0, 2, height)
      if (!dense) last = x
    }
    if (this.pointer !== undefined) box(brush, colours.soft, this.pointer, 0, 1, height)
  }

  /** Lights the lanes of violations, around their instants. */
  private lightLanes(violations: ReadonlyArray<Violation>): void {
    const { stage: { brush }, theme, timeline } = this
    const lit = new Map<string, number>()
    for (const { at, lane: name } of violations) {
      const lane = timeline.lane(name)
      if (lane === undefined) continue
      const x = timeline.x(at)
      const left = Math.max(x - 16, lit.get(lane.name) ?? 0)
      box(brush, faint(theme.colours.bad, 24), left, lane.y, x + 16 - left, lane.height)
      lit.set(lane.name, x + 16)
    }
  }

  private drawLane(lane: PlacedLane, spans: ReturnType<typeof spanLooks>, marks: MarkLooks): void {
    const { timeline } = this
    const isShown = ({ from, to }: Span | Lease): boolean => to >= timeline.from && from <= timeline.to
    const shown = lane.spans.filter(isShown)
    for (const [kind, look] of Object.entries(spans)) {
      for (const span of shown) if (span.kind === kind) this.drawSpan(lane, span, look(span))
      if (kind === "believes") { for (const lease of (lane.leases ?? []).filter(isShown)) this.drawLease(lane, lease) }
    }
    for (const span of shown) if (spans[span.kind] === undefined) this.drawSpan(lane, span, plainLook(this.theme, span))
    this.drawMarks(lane, marks)
  }

  private scaleOf(lane: Lane): number {
    return lane.kind === "process" ? this.timeline.scale : 1
  }

  private drawSpan(lane: PlacedLane, span: Span, look: Look): void {
    const { stage: { brush, width }, theme: { colours }, timeline } = this
    const scale = this.scaleOf(lane)
    const left = Math.max(timeline.x(span.from), gutter - 2)
    const right = Math.min(timeline.x(span.to), width + 2)
    const y = lane.y + look.y * scale
    const height = look.height * scale
    box(brush, look.fill, left, y, Math.max(1, right - left), height)
    if (look.text === undefined || height < 8) return
    brush.font = font(Math.min(12, height - 1))
    const wide = brush.measureText(look.text).width
    if (right - left < wide + 10) return
    const at = Math.max(left, gutter) + 5
    if (look.ink === undefined && height > 12) {
      box(brush, faint(colours.panel, 82), at - 3, y + height / 2 - 8, wide + 6, 16)
    }
    brush.fillStyle = look.ink ?? colours.ink
    brush.fillText(look.text, at, y + height / 2 + 0.5)
  }

  /** The rest of a leader's lease: full after a renewal, empty at its deadline. */
  private drawLease(lane: PlacedLane, { deadline, from, full, of, to }: Lease): void {
    const { stage: { brush }, theme, timeline } = this
    const end = Math.min(to, deadline)
    const base = lane.y + 29 * timeline.scale
    const top = (at: number): number => base - Math.max(0, Math.min(1, (deadline - at) / full)) * 15 * timeline.scale
    const [left, right] = [timeline.x(from), timeline.x(end)]
    shape(brush, theme.hue(of, 55, 0.62), [[left, base], [left, top(from)], [right, top(end)], [right, base]])
  }

  private drawMarks(lane: PlacedLane, looks: MarkLooks): void {
    const { stage: { brush, width }, theme, timeline } = this
    const { span } = timeline
    const scale = this.scaleOf(lane)
    const seen = lane.marks.filter(({ at, kind }) =>
      at >= timeline.from && at <= timeline.to && looks[kind] !== undefined && span <= (looks[kind].near ?? Infinity)
    )
    const last = new Map<string, number>()
    for (const mark of seen) {
      const x = timeline.x(mark.at)
      if (x - (last.get(mark.kind) ?? -9) < 0.7) continue
      last.set(mark.kind, x)
      looks[mark.kind]!.draw(brush, x, lane.y, mark, scale)
    }
    if (timeline.isCrowded && lane.kind === "process" && span > 300) return
    // In the lanes of operators and faults texts are beside the marks; in other lanes, above or below.
    const beside = lane.kind === "operator" || lane.kind === "simulation"
    const taken = beside ? seen.map(({ at }) => [timeline.x(at) - 5, timeline.x(at) + 5] as const) : []
    const { ranks } = this
    brush.font = font(11)
    const texts = seen
      .filter(({ kind, text }) => looks[kind]!.text && text && span <= (looks[kind]!.textNear ?? Infinity))
      .toSorted((a, b) => ranks.indexOf(b.kind) - ranks.indexOf(a.kind))
    for (const { at, kind, of, text = "" } of texts) {
      const left = Math.max(gutter + 2, timeline.x(at) + (beside ? 9 : -2))
      const right = left + brush.measureText(text).width
      const gap = beside ? 2 : 8
      if (right > width || taken.some(([from, to]) => left < to + gap && right > from - gap)) continue
      taken.push([left, right])
      brush.fillStyle = kind === "illegal" ? theme.colours.bad : kind === "elected" ? theme.ink(of) : theme.colours.ink
      brush.fillText(text, left, lane.y + textRow[lane.kind])
    }
  }

  private drawName(lane: PlacedLane): void {
    const { stage: { brush }, theme } = this
    const middle = lane.y + lane.height / 2
    if (lane.place !== undefined) box(brush, theme.hue(lane.place, 48), 12, middle - 5, 10, 10)
    brush.fillStyle = theme.colours.ink
    brush.font = font(13, 600)
    const y = lane.kind === "database" ? lane.y + 16 : middle + 1
    brush.fillText(lane.name, lane.kind === "process" ? 30 : 12, y, gutter - 16)
  }

  private ticks() {
    const { stage: { width }, timeline } = this
    const raw = timeline.span / Math.max(2, (width - gutter) / 110)
    const power = 10 ** Math.floor(Math.log10(raw))
    const step = [1, 2, 5, 10].map((times) => times * power).find((step) => step >= raw)!
    const times: Array<number> = []
    for (let at = Math.ceil(timeline.from / step) * step; at <= timeline.to; at += step) times.push(at)
    return { times, digits: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) }
  }

  private drawAxis({ digits, times }: ReturnType<Painter["ticks"]>): void {
    const { axis, theme, timeline } = this
    const { brush, width } = axis
    axis.clear()
    brush.font = font(12)
    brush.fillStyle = theme.colours.soft
    for (const at of times) {
      const x = timeline.x(at)
      if (x + 60 < width) brush.fillText(`${at.toFixed(digits)} s`, x + 4, 14)
    }
    this.clipped(axis, () => {
      let free = -1
      for (const { at, checker } of timeline.data.violations) {
        const x = timeline.x(at)
        if (x < gutter - 4 || x > width + 4) continue
        brush.font = font(11, 600)
        const wide = brush.measureText(checker).width + 12
        const { bad } = theme.colours
        if (x < free) {
          box(brush, bad, x - 1, 20, 2, 8)
          continue
        }
        const left = Math.min(x - 1, width - wide)
        box(brush, bad, left, 4, wide, 19)
        box(brush, bad, x - 1, 4, 2, 28)
        brush.fillStyle = theme.isDark ? "#22080b" : "#fff"
        brush.fillText(checker, left + 6, 14)
        free = left + wide + 3
      }
    })
  }

  private drawOverview(): void {
    const { overview, theme, timeline } = this
    const { colours } = theme
    const { brush, height, width } = overview
    const { data } = timeline
    overview.clear()
    const x = (at: number): number => at / data.duration * width
    box(brush, colours.lane, 0, 5, width, height - 10)
    for (const { from, kind, of, to } of timeline.lanes[0]!.spans) {
      if (kind === "leads") box(brush, theme.hue(of, 48), x(from), 8, Math.max(1, x(to) - x(from)), height - 16)
    }
    for (const { at } of data.violations) box(brush, colours.bad, x(at) - 1, 1, 3, height - 2)
    const [left, right] = [x(timeline.from), x(timeline.to)]
    box(brush, faint(colours.panel, 45), 0, 2, left, height - 4)
    box(brush, faint(colours.panel, 45), right, 2, width, height - 4)
    brush.strokeStyle = colours.ink
    brush.lineWidth = 1.5
    brush.strokeRect(left + 0.75, 2.75, Math.max(3, right - left - 1.5), height - 5.5)
  }

  private clipped({ brush, height, width }: Surface, act: () => void): void {
    brush.save()
    brush.beginPath()
    brush.rect(gutter, 0, width - gutter, height)
    brush.clip()
    act()
    brush.restore()
  }
}
