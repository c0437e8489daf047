/** Draws the timeline: the lanes, the axis above them, and the overview of the whole. */
import type { Lane, Lease, Span, Violation } from "../src/internal/reportData.ts"
import { font, type Surface } from "./dom.ts"
import { box, type Look, makeByImportance, type MarkLooks, markLooks, plainLook, shape, spanLooks } from "./looks.ts"
import { faint, type Theme } from "./Theme.ts"
import { gutter, type PlacedLane, type Timeline } from "./Timeline.ts"

/** The offset of the text of a mark in its lane. */
const textRow = { process: 6, database: 44, simulation: 14, operator: 14, leader: 15 }

/** Steps of the axis on which the time of day is round, in seconds. */
const clockSteps = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600, 86_400]

/** Returns the function that draws everything, with a line through all lanes at the pointer. */
export const makePainter = (
  theme: Theme,
  timeline: Timeline,
  { axis, overview, stage }: { readonly [name in "stage" | "axis" | "overview"]: Surface }
): (pointer: number | undefined) => void => {
  const { brush } = stage
  const byImportance = makeByImportance(theme)

  const clipped = ({ brush, height, width }: Surface, act: () => void): void => {
    brush.save()
    brush.beginPath()
    brush.rect(gutter, 0, width - gutter, height)
    brush.clip()
    act()
    brush.restore()
  }

  const scaleOf = (lane: Lane): number => lane.kind === "process" ? timeline.scale : 1

  const drawSpan = (lane: PlacedLane, span: Span, look: Look): void => {
    const { colours } = theme
    const left = Math.max(timeline.x(span.from), gutter - 2)
    const right = Math.min(timeline.x(span.to), stage.width + 2)
    const y = lane.y + look.y * scaleOf(lane)
    const height = look.height * scaleOf(lane)
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
  const drawLease = (lane: PlacedLane, { deadline, from, full, of, to }: Lease): void => {
    const end = Math.min(to, deadline)
    const base = lane.y + 29 * timeline.scale
    const top = (at: number): number => base - Math.max(0, Math.min(1, (deadline - at) / full)) * 15 * timeline.scale
    const [left, right] = [timeline.x(from), timeline.x(end)]
    shape(brush, theme.hue(of, 55, 0.62), [[left, base], [left, top(from)], [right, top(end)], [right, base]])
  }

  const drawMarks = (lane: PlacedLane, looks: MarkLooks): void => {
    const { span } = timeline
    const seen = lane.marks.filter(({ at, kind }) =>
      at >= timeline.from && at <= timeline.to && looks[kind] !== undefined && span <= (looks[kind].near ?? Infinity)
    )
    const last = new Map<string, number>()
    for (const mark of seen) {
      const x = timeline.x(mark.at)
      if (x - (last.get(mark.kind) ?? -9) < 0.7) continue
      last.set(mark.kind, x)
      looks[mark.kind]!.draw(brush, x, lane.y, mark, scaleOf(lane))
    }
    if (timeline.isCrowded && lane.kind === "process" && span > 300) return
    // In the lanes of operators and faults texts are beside the marks; in other lanes, above or below.
    const beside = lane.kind === "operator" || lane.kind === "simulation"
    const taken = beside ? seen.map(({ at }) => [timeline.x(at) - 5, timeline.x(at) + 5] as const) : []
    brush.font = font(11)
    const texts = seen
      .filter(({ kind, text }) => looks[kind]!.text && text && span <= (looks[kind]!.textNear ?? Infinity))
      .toSorted(byImportance)
    for (const { at, kind, of, text = "" } of texts) {
      const left = Math.max(gutter + 2, timeline.x(at) + (beside ? 9 : -2))
      const right = left + brush.measureText(text).width
      const gap = beside ? 2 : 8
      if (right > stage.width || taken.some(([from, to]) => left < to + gap && right > from - gap)) continue
      taken.push([left, right])
      brush.fillStyle = kind === "illegal" ? theme.colours.bad : kind === "elected" ? theme.ink(of) : theme.colours.ink
      brush.fillText(text, left, lane.y + textRow[lane.kind])
    }
  }

  const drawLane = (lane: PlacedLane, spans: ReturnType<typeof spanLooks>, marks: MarkLooks): void => {
    const isShown = ({ from, to }: Span | Lease): boolean => to >= timeline.from && from <= timeline.to
    const shown = lane.spans.filter(isShown)
    for (const [kind, look] of Object.entries(spans)) {
      for (const span of shown) if (span.kind === kind) drawSpan(lane, span, look(span))
      if (kind === "believes") { for (const lease of (lane.leases ?? []).filter(isShown)) drawLease(lane, lease) }
    }
    for (const span of shown) if (spans[span.kind] === undefined) drawSpan(lane, span, plainLook(theme, span))
    drawMarks(lane, marks)
  }

  /** Lights the lanes of violations, around their instants. */
  const lightLanes = (violations: ReadonlyArray<Violation>): void => {
    const lit = new Map<string, number>()
    for (const { at, lane: name } of violations) {
      const lane = timeline.lanes.find((lane) => lane.name === name)
      if (lane === undefined) continue
      const x = timeline.x(at)
      const left = Math.max(x - 16, lit.get(lane.name) ?? 0)
      box(brush, faint(theme.colours.bad, 24), left, lane.y, x + 16 - left, lane.height)
      lit.set(lane.name, x + 16)
    }
  }

  const drawLanes = (pointer: number | undefined): void => {
    const { colours } = theme
    const { height } = timeline
    if (timeline.data.quietAt < timeline.data.duration) {
      const x = timeline.x(timeline.data.quietAt)
      box(brush, faint(colours.good, 8), x, 0, stage.width, height)
      brush.fillStyle = colours.good
      brush.font = font(11.5)
      brush.fillText("no faults", Math.max(x, gutter) + 6, height - 42)
    }
    const near = timeline.data.violations.filter(({ at }) =>
      timeline.x(at) > gutter - 20 && timeline.x(at) < stage.width + 20
    )
    lightLanes(near)
    const [spans, marks] = [spanLooks(theme), markLooks(theme)]
    for (const lane of timeline.lanes) drawLane(lane, spans, marks)
    let last = -9
    for (const { at } of near) {
      const x = timeline.x(at)
      const dense = x - last < 8
      if (dense) box(brush, faint(colours.bad, 40), x - 0.5, 0, 1, height)
      else box(brush, colours.bad, x - 1, 0, 2, height)
      if (!dense) last = x
    }
    if (pointer !== undefined) box(brush, colours.soft, pointer, 0, 1, height)
  }

  /** A name that fits between the mark and the lanes: its begin and its end, if it is long. */
  const fitting = (name: string, width: number): string => {
    if (brush.measureText(name).width <= width) return name
    for (let kept = name.length - 1; kept > 2; kept--) {
      const text = `${name.slice(0, Math.ceil(kept / 2))}…${name.slice(-Math.floor(kept / 2))}`
      if (brush.measureText(text).width <= width) return text
    }
    return name
  }

  const drawName = (lane: PlacedLane): void => {
    const middle = lane.y + lane.height / 2
    if (lane.place !== undefined) box(brush, theme.hue(lane.place, 48), 12, middle - 5, 10, 10)
    brush.fillStyle = theme.colours.ink
    brush.font = font(13, 600)
    const left = lane.kind === "process" ? 30 : 12
    const width = gutter - left - 4
    const y = lane.kind === "database" ? lane.y + 16 : middle + 1
    if (brush.measureText(lane.name).width <= width) return brush.fillText(lane.name, left, y)
    brush.font = font(11, 600)
    if (timeline.isCrowded) return brush.fillText(fitting(lane.name, width), left, y)
    // In two lines.
    let kept = lane.name.length
    while (kept > 1 && brush.measureText(lane.name.slice(0, kept)).width > width) kept--
    brush.fillText(lane.name.slice(0, kept), left, y - 7)
    brush.fillText(fitting(lane.name.slice(kept), width), left, y + 7)
  }

  const ticks = () => {
    const raw = timeline.span / Math.max(2, (stage.width - gutter) / 110)
    const power = 10 ** Math.floor(Math.log10(raw))
    const steps = timeline.data.epoch === undefined || raw < 1 ? [1, 2, 5, 10].map((n) => n * power) : clockSteps
    const step = steps.find((step) => step >= raw) ?? raw
    const begin = timeline.secondsOfDay
    const times: Array<number> = []
    for (let at = Math.ceil((timeline.from + begin) / step) * step - begin; at <= timeline.to; at += step) {
      times.push(at)
    }
    return { times, digits: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) }
  }

  /** The names of violated guarantees, where there is room. */
  const drawViolations = ({ brush, width }: Surface): void => {
    const { bad } = theme.colours
    let free = -1
    for (const { at, checker } of timeline.data.violations) {
      const x = timeline.x(at)
      if (x < gutter - 4 || x > width + 4) continue
      brush.font = font(11, 600)
      const wide = brush.measureText(checker).width + 12
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
  }

  const drawAxis = ({ digits, times }: ReturnType<typeof ticks>): void => {
    const { brush, width } = axis
    axis.clear()
    brush.font = font(12)
    brush.fillStyle = theme.colours.soft
    for (const at of times) {
      const x = timeline.x(at)
      if (x + 60 < width) brush.fillText(timeline.timeText(at, digits), x + 4, 14)
    }
    clipped(axis, () => drawViolations(axis))
  }

  const drawOverview = (): void => {
    const { colours } = theme
    const { brush, height, width } = overview
    overview.clear()
    const x = (at: number): number => at / timeline.data.duration * width
    box(brush, colours.lane, 0, 5, width, height - 10)
    for (const { from, kind, of, to } of timeline.lanes[0]!.spans) {
      if (kind === "leads") box(brush, theme.hue(of, 48), x(from), 8, Math.max(1, x(to) - x(from)), height - 16)
    }
    for (const { at } of timeline.data.violations) box(brush, colours.bad, x(at) - 1, 1, 3, height - 2)
    const [left, right] = [x(timeline.from), x(timeline.to)]
    box(brush, faint(colours.panel, 45), 0, 2, left, height - 4)
    box(brush, faint(colours.panel, 45), right, 2, width, height - 4)
    brush.strokeStyle = colours.ink
    brush.lineWidth = 1.5
    brush.strokeRect(left + 0.75, 2.75, Math.max(3, right - left - 1.5), height - 5.5)
  }

  return (pointer) => {
    const { colours } = theme
    stage.clear()
    const marks = ticks()
    drawAxis(marks)
    timeline.lanes.forEach(({ height, y }, index) => {
      if (index % 2 === 0) box(brush, colours.lane, 0, y, stage.width, height)
    })
    for (const at of marks.times) box(brush, colours.line, Math.round(timeline.x(at)), 0, 1, timeline.height)
    clipped(stage, () => drawLanes(pointer))
    timeline.lanes.forEach(drawName)
    drawOverview()
  }
}
