/** What the page of a report does with the data that stand in it. */
export const script = String.raw`
const data = JSON.parse(document.getElementById("data").textContent)
const byId = (id) => document.getElementById(id)
const make = (tag, properties, ...children) => {
  const element = Object.assign(document.createElement(tag), properties)
  element.append(...children)
  return element
}
const canvasOf = (id) => {
  const canvas = byId(id).querySelector("canvas")
  return { canvas, brush: canvas.getContext("2d") }
}
const axis = canvasOf("axis"), stage = canvasOf("lanes"), overview = canvasOf("overview")
const scroller = byId("lanes")
const gutter = 96

// -- colours: red and amber mean trouble, so no process has them ---------------------------------------------------------

const night = matchMedia("(prefers-color-scheme: dark)")
const names = ["ink", "soft", "line", "lane", "panel", "alive", "trouble", "night", "sleep", "good", "bad"]
let theme, patterns
const choose = () => {
  const style = getComputedStyle(document.documentElement)
  theme = Object.fromEntries(names.map((name) => [name, style.getPropertyValue("--" + name).trim()]))
  patterns = new Map()
}
const hues = [212, 150, 268, 188, 312, 95, 238, 128, 200]
const hue = (place, light, alpha) => place === undefined ? theme.soft
  : "hsl(" + hues[place % hues.length] + " " + (place < hues.length ? 62 : 30) + "% " + (light + (night.matches ? 9 : 0)) + "% / " +
    (alpha ?? 1) + ")"
/** The same, for text. */
const inkOf = (place) => hue(place, night.matches ? 63 : 34)
const striped = (colour, ground) => {
  const known = patterns.get(colour + ground)
  if (known !== undefined) return known
  const tile = document.createElement("canvas"); tile.width = tile.height = 8
  const brush = tile.getContext("2d")
  if (ground) { brush.fillStyle = ground; brush.fillRect(0, 0, 8, 8) }
  brush.strokeStyle = colour; brush.lineWidth = 2
  for (const offset of [-8, 0, 8]) { brush.beginPath(); brush.moveTo(offset, 8); brush.lineTo(offset + 8, 0); brush.stroke() }
  const pattern = stage.brush.createPattern(tile, "repeat")
  patterns.set(colour + ground, pattern)
  return pattern
}
const dotted = (colour) => {
  const known = patterns.get("dotted" + colour)
  if (known !== undefined) return known
  const tile = document.createElement("canvas"); tile.width = 8; tile.height = 2
  const brush = tile.getContext("2d")
  brush.fillStyle = colour; brush.fillRect(0, 0, 2, 2)
  const pattern = stage.brush.createPattern(tile, "repeat")
  patterns.set("dotted" + colour, pattern)
  return pattern
}
const faint = (colour, share) => "color-mix(in srgb, " + colour + " " + share + "%, transparent)"

// -- where things are ----------------------------------------------------------------------------------------------------

const processes = data.lanes.filter(({ kind }) => kind === "process").length
const crowded = processes > 8
const heights = { leader: 30, database: 62, process: processes > 14 ? 27 : crowded ? 38 : 56, world: 28, operator: 28 }
let bottom = 0
const lanes = data.lanes.map((lane) => {
  const y = bottom, height = heights[lane.kind]
  bottom += height
  return { ...lane, y, height, marks: lane.marks.map((mark) => mark.line === undefined ? mark : { ...mark, label: data.log[mark.line].slice(1).join(" ") }) }
})
const total = bottom
/** What a lane is drawn with: heights are given for a lane that is not crowded. */
const scale = crowded ? heights.process / 56 : 1
const smallest = .002
let view = { from: 0, to: data.duration }

const width = () => stage.canvas.clientWidth
const x = (at) => gutter + (at - view.from) / (view.to - view.from) * (width() - gutter)
const timeAt = (px) => view.from + (px - gutter) / (width() - gutter) * (view.to - view.from)
const fit = ({ brush, canvas }) => {
  const ratio = devicePixelRatio || 1
  const w = Math.round(canvas.clientWidth * ratio), h = Math.round(canvas.clientHeight * ratio)
  if (canvas.width !== w || canvas.height !== h) { canvas.width = w; canvas.height = h }
  brush.setTransform(ratio, 0, 0, ratio, 0, 0)
  brush.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight)
  brush.textBaseline = "middle"
}
const font = (size, weight) => (weight ?? 400) + " " + size + "px system-ui, sans-serif"

// -- drawing -------------------------------------------------------------------------------------------------------------

const looks = {
  dead: () => ({ y: 40, h: 1.5, fill: dotted(theme.alive) }),
  alive: () => ({ y: 39, h: 3, fill: theme.alive }),
  believes: (span) => ({ y: 14, h: 15, fill: hue(span.of, 60, .28) }),
  works: (span) => ({ y: 29, h: 8, fill: hue(span.of, 45) }),
  finalizes: (span) => ({ y: 29, h: 8, fill: striped(hue(span.of, 38), hue(span.of, 70)) }),
  freeze: () => ({ y: 13, h: 30, fill: striped(theme.night, faint(theme.night, 20)), text: "frozen" }),
  stall: () => ({ y: 13, h: 30, fill: striped(theme.night, faint(theme.night, 20)), text: "stalled" }),
  suspend: () => ({ y: 13, h: 30, fill: striped(theme.sleep, faint(theme.sleep, 20)), text: "suspended" }),
  partition: () => ({ y: 44, h: 10, fill: faint(theme.trouble, 55), text: "cut off" }),
  fade: () => ({ y: 44, h: 10, fill: faint(theme.trouble, 30), text: "slow, then cut off" }),
  duplicate: () => ({ y: 44, h: 10, fill: faint(theme.soft, 30), text: "a double of another's id" }),
  leads: (span) => ({ y: 5, h: 20, fill: hue(span.of, 45), text: span.text, ink: "#fff" }),
  nobody: () => ({ y: 11, h: 8, fill: striped(theme.alive), text: "" }),
  overlap: () => ({ y: 1, h: 28, fill: theme.bad, text: "two at once", ink: "#fff" }),
  tenure: (span) => ({ y: 5, h: 20, fill: hue(span.of, 45), text: span.text, ink: "#fff" }),
  vacant: () => ({ y: 5, h: 20, fill: striped(theme.line), text: "vacant" }),
  storm: () => ({ y: 5, h: 18, fill: faint(theme.soft, 35), text: "storm" }),
  outage: () => ({ y: 5, h: 18, fill: faint(theme.trouble, 60), text: "outage" }),
  disable: () => ({ y: 5, h: 18, fill: faint(theme.soft, 40), text: "disabled" }),
  garbage: () => ({ y: 5, h: 18, fill: faint(theme.trouble, 45), text: "garbage" })
}
const order = Object.keys(looks)

const dot = (brush, px, py, r, fill) => { brush.fillStyle = fill; brush.beginPath(); brush.arc(px, py, r, 0, 7); brush.fill() }
const bar = (brush, px, py, w, h, fill) => { brush.fillStyle = fill; brush.fillRect(px - w / 2, py, w, h) }
const shape = (brush, fill, points) => {
  brush.fillStyle = fill; brush.beginPath()
  points.forEach(([px, py], index) => index === 0 ? brush.moveTo(px, py) : brush.lineTo(px, py))
  brush.fill()
}
const triangle = (brush, px, py, fill) => shape(brush, fill, [[px, py + 8], [px - 5, py], [px + 5, py]])
/** How each kind of mark is drawn, and its text: those that matter first when there is no room for all. */
const marks = {
  step: { draw: (brush, px, y, mark, s) => bar(brush, px, y + 29 * s, 1, 8 * s, hue(mark.of, 80, .9)), near: 120 },
  fault: { draw: (brush, px, y, _, s) => dot(brush, px, y + 49 * s, 1.5, theme.trouble), text: true, near: 20 },
  retried: { draw: (brush, px, y, _, s) => dot(brush, px, y + 49 * s, 2, theme.trouble) },
  "renewal-failed": { draw: (brush, px, y, _, s) => dot(brush, px, y + 49 * s, 2.5, theme.trouble), text: true, textNear: 30 },
  conflict: { draw: (brush, px, y, _, s) => dot(brush, px, y + 49 * s, 1.5, theme.trouble), text: true, near: 20 },
  renewed: { draw: (brush, px, y, mark, s) => bar(brush, px, y + 11 * s, 1, 5 * s, hue(mark.of, 35)), near: 200 },
  registered: { draw: (brush, px, y, _, s) => dot(brush, px, y + 40.5 * s, 3, theme.soft), text: true, textNear: 60 },
  clock: { draw: (brush, px, y, _, s) => dot(brush, px, y + 40.5 * s, 2, theme.sleep) },
  prioritizes: { draw: (brush, px, y, _, s) => dot(brush, px, y + 40.5 * s, 2.5, theme.ink), text: true, textNear: 120 },
  challenged: { draw: (brush, px, y, mark, s) => shape(brush, hue(mark.of, 45), [[px, y + 33 * s], [px - 4, y + 39 * s], [px + 4, y + 39 * s]]), text: true, textNear: 120 },
  stops: { draw: (brush, px, y, _, s) => bar(brush, px, y + 35 * s, 2, 11 * s, theme.soft), text: true, textNear: 120 },
  exits: { draw: (brush, px, y, _, s) => bar(brush, px, y + 33 * s, 2, 15 * s, theme.ink), text: true, textNear: 120 },
  resigned: { draw: (brush, px, y, mark, s) => bar(brush, px, y + 29 * s, 2, 14 * s, hue(mark.of, 30)), near: 60 },
  lost: { draw: (brush, px, y, mark, s) => bar(brush, px, y + 12 * s, 2, 27 * s, night.matches ? hue(mark.of, 70) : hue(mark.of, 25)), text: true },
  overrun: { draw: (brush, px, y, _, s) => bar(brush, px, y + 10 * s, 2, 30 * s, theme.trouble), text: true },
  crashes: {
    draw: (brush, px, y, _, s) => {
      brush.strokeStyle = theme.ink; brush.lineWidth = 2; brush.beginPath()
      const middle = y + 40.5 * s
      brush.moveTo(px - 5, middle - 5); brush.lineTo(px + 5, middle + 5); brush.moveTo(px + 5, middle - 5); brush.lineTo(px - 5, middle + 5)
      brush.stroke()
    },
    text: true
  },
  elected: { draw: (brush, px, y, mark, s) => triangle(brush, px, y + 11 * s, inkOf(mark.of)), text: true },
  renew: { draw: (brush, px, y, mark) => bar(brush, px, y + 27, 1, 7, hue(mark.of, 45)), text: true, near: 240, textNear: 25 },
  commit: { draw: (brush, px, y) => bar(brush, px, y + 27, 1.5, 11, theme.ink), text: true },
  illegal: { draw: (brush, px, y) => bar(brush, px, y + 2, 4, 46, theme.bad), text: true },
  act: { draw: (brush, px, y) => shape(brush, theme.ink, [[px, y + 7], [px + 5, y + 14], [px, y + 21], [px - 5, y + 14]]), text: true }
}
const ranks = Object.keys(marks)
const textRow = { process: 6, database: 44, world: 14, operator: 14, leader: 15 }

const drawSpan = (brush, lane, span) => {
  const look = looks[span.kind](span), s = lane.kind === "process" ? scale : 1
  const left = Math.max(x(span.from), gutter - 2), right = Math.min(x(span.to), width() + 2)
  const y = lane.y + look.y * s, h = look.h * s
  brush.fillStyle = look.fill; brush.fillRect(left, y, Math.max(1, right - left), h)
  if (!look.text || h < 8) return
  brush.font = font(Math.min(12, h - 1))
  const wide = brush.measureText(look.text).width
  if (right - left < wide + 10) return
  const at = Math.max(left, gutter) + 5
  if (look.ink === undefined && h > 12) { brush.fillStyle = faint(theme.panel, 82); brush.fillRect(at - 3, y + h / 2 - 8, wide + 6, 16) }
  brush.fillStyle = look.ink ?? theme.ink
  brush.fillText(look.text, at, y + h / 2 + .5)
}

/** How much of its lease a leader has left: full after a renewal, and burning down to its deadline. */
const drawFuse = (brush, lane, { deadline, from, full, of, to }) => {
  const end = Math.min(to, deadline), base = lane.y + 29 * scale, high = 15 * scale
  const height = (at) => Math.max(0, Math.min(1, (deadline - at) / full)) * high
  shape(brush, hue(of, 55, .62), [[x(from), base], [x(from), base - height(from)], [x(end), base - height(end)], [x(end), base]])
}

const drawMarks = (brush, lane) => {
  const span = view.to - view.from, s = lane.kind === "process" ? scale : 1, last = {}
  const seen = lane.marks.filter(({ at, kind }) => at >= view.from && at <= view.to && span <= (marks[kind].near ?? Infinity))
  for (const mark of seen) {
    const px = x(mark.at)
    if (px - (last[mark.kind] ?? -9) < .7) continue
    last[mark.kind] = px
    marks[mark.kind].draw(brush, px, lane.y, mark, s)
  }
  if (crowded && lane.kind === "process" && span > 300) return
  /** Texts stand beside the signs of operators and the weather, and above or below those of other lanes. */
  const beside = lane.kind === "operator" || lane.kind === "world"
  const taken = beside ? seen.map(({ at }) => [x(at) - 5, x(at) + 5]) : []
  brush.font = font(11)
  const told = seen.filter(({ kind, text }) => marks[kind].text && text && span <= (marks[kind].textNear ?? Infinity))
    .sort((a, b) => ranks.indexOf(b.kind) - ranks.indexOf(a.kind))
  for (const mark of told) {
    const left = Math.max(gutter + 2, x(mark.at) + (beside ? 9 : -2)), right = left + brush.measureText(mark.text).width, gap = beside ? 2 : 8
    if (right > width() || taken.some(([from, to]) => left < to + gap && right > from - gap)) continue
    taken.push([left, right])
    brush.fillStyle = mark.kind === "illegal" ? theme.bad : mark.kind === "elected" ? inkOf(mark.of) : theme.ink
    brush.fillText(mark.text, left, lane.y + textRow[lane.kind])
  }
}

const drawLane = (brush, lane) => {
  for (const kind of order) {
    for (const span of lane.spans) {
      if (span.kind === kind && span.to >= view.from && span.from <= view.to) drawSpan(brush, lane, span)
    }
    if (kind === "believes") for (const fuse of lane.fuses ?? []) if (fuse.to >= view.from && fuse.from <= view.to) drawFuse(brush, lane, fuse)
  }
  drawMarks(brush, lane)
}

const ticks = () => {
  const wanted = Math.max(2, (width() - gutter) / 110), raw = (view.to - view.from) / wanted, power = 10 ** Math.floor(Math.log10(raw))
  const step = [1, 2, 5, 10].map((times) => times * power).find((step) => step >= raw)
  const found = []
  for (let at = Math.ceil(view.from / step) * step; at <= view.to; at += step) found.push(at)
  return { found, digits: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) }
}
const clipped = (brush, h, act) => {
  brush.save(); brush.beginPath(); brush.rect(gutter, 0, width() - gutter, h); brush.clip(); act(); brush.restore()
}

const drawAxis = ({ digits, found }) => {
  fit(axis)
  const { brush } = axis
  brush.font = font(12); brush.fillStyle = theme.soft
  for (const at of found) if (x(at) + 60 < width()) brush.fillText(at.toFixed(digits) + " s", x(at) + 4, 14)
  clipped(brush, 28, () => {
    let free = -1
    for (const { at, checker } of data.violations) {
      const px = x(at)
      if (px < gutter - 4 || px > width() + 4) continue
      brush.font = font(11, 600)
      const wide = brush.measureText(checker).width + 12
      brush.fillStyle = theme.bad
      if (px < free) { brush.fillRect(px - 1, 20, 2, 8); continue }
      const left = Math.min(px - 1, width() - wide)
      brush.fillRect(left, 4, wide, 19); brush.fillRect(px - 1, 4, 2, 28); brush.fillStyle = night.matches ? "#22080b" : "#fff"
      brush.fillText(checker, left + 6, 14)
      free = left + wide + 3
    }
  })
}

const draw = () => {
  fit(stage)
  const { brush } = stage, w = width(), scale = ticks()
  drawAxis(scale)
  lanes.forEach((lane, index) => {
    if (index % 2 === 0) { brush.fillStyle = theme.lane; brush.fillRect(0, lane.y, w, lane.height) }
  })
  for (const at of scale.found) { brush.fillStyle = theme.line; brush.fillRect(Math.round(x(at)), 0, 1, total) }
  clipped(brush, total, () => {
    if (data.quietAt < data.duration) {
      brush.fillStyle = faint(theme.good, 8); brush.fillRect(x(data.quietAt), 0, w, total)
      brush.fillStyle = theme.good; brush.font = font(11.5)
      brush.fillText("nothing goes wrong from here on", Math.max(x(data.quietAt), gutter) + 6, total - 42)
    }
    const wrong = data.violations.filter(({ at }) => x(at) > gutter - 20 && x(at) < w + 20)
    const lit = new Map()
    for (const { at, lane: name } of wrong) {
      const lane = lanes.find((lane) => lane.name === name)
      if (!lane) continue
      const left = Math.max(x(at) - 16, lit.get(name) ?? 0), right = x(at) + 16
      brush.fillStyle = faint(theme.bad, 24); brush.fillRect(left, lane.y, right - left, lane.height)
      lit.set(name, right)
    }
    for (const lane of lanes) drawLane(brush, lane)
    let last = -9
    for (const { at } of wrong) {
      const dense = x(at) - last < 8
      bar(brush, x(at), 0, dense ? 1 : 2, total, dense ? faint(theme.bad, 40) : theme.bad)
      if (!dense) last = x(at)
    }
    if (pointer !== undefined) { brush.fillStyle = theme.soft; brush.fillRect(pointer, 0, 1, total) }
  })
  for (const lane of lanes) {
    const small = lane.kind !== "process"
    if (lane.place !== undefined) { brush.fillStyle = hue(lane.place, 48); brush.fillRect(12, lane.y + lane.height / 2 - 5, 10, 10) }
    brush.fillStyle = theme.ink; brush.font = font(13, 600)
    brush.fillText(lane.name, small ? 12 : 30, lane.y + (lane.kind === "database" ? 16 : lane.height / 2 + 1), gutter - 16)
  }
  drawOverview()
}

const drawOverview = () => {
  fit(overview)
  const { brush, canvas } = overview, w = canvas.clientWidth, h = canvas.clientHeight, at = (t) => t / data.duration * w
  brush.fillStyle = theme.lane; brush.fillRect(0, 5, w, h - 10)
  for (const span of lanes[0].spans) {
    if (span.kind !== "leads") continue
    brush.fillStyle = hue(span.of, 48); brush.fillRect(at(span.from), 8, Math.max(1, at(span.to) - at(span.from)), h - 16)
  }
  for (const { at: t } of data.violations) { brush.fillStyle = theme.bad; brush.fillRect(at(t) - 1, 1, 3, h - 2) }
  const left = at(view.from), right = at(view.to)
  brush.fillStyle = faint(theme.panel, 45); brush.fillRect(0, 2, left, h - 4); brush.fillRect(right, 2, w, h - 4)
  brush.strokeStyle = theme.ink; brush.lineWidth = 1.5; brush.strokeRect(left + .75, 2.75, Math.max(3, right - left - 1.5), h - 5.5)
}

// -- moving --------------------------------------------------------------------------------------------------------------

let pointer, drag, drawing = false
const redraw = () => {
  if (drawing) return
  drawing = true
  requestAnimationFrame(() => { drawing = false; draw() })
}
const show = (from, to) => {
  const span = Math.min(data.duration, Math.max(smallest, to - from))
  const start = Math.min(Math.max(0, from), data.duration - span)
  view = { from: start, to: start + span }
  redraw(); later()
}
const zoom = (factor, around) => show(around - (around - view.from) * factor, around + (view.to - around) * factor)
const middle = () => (view.from + view.to) / 2
/** Shows what happened then, at a scale at which it can be seen. */
const visit = (at, span) => { const wide = Math.min(view.to - view.from, span); show(at - wide / 2, at + wide / 2) }

/** The part that is shown stands in the address, so that it can be passed on. */
const address = () => {
  const whole = view.from === 0 && view.to === data.duration
  history.replaceState(null, "", whole ? location.pathname + location.search : "#" + view.from.toFixed(3) + "-" + view.to.toFixed(3))
}
const fromAddress = () => {
  const match = /^#(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)$/.exec(location.hash)
  if (match === null || !(Number(match[1]) < Number(match[2]))) return false
  show(Number(match[1]), Number(match[2]))
  return true
}

const { canvas } = stage
canvas.addEventListener("wheel", (event) => {
  if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
    const by = (event.deltaX || event.deltaY) / width() * (view.to - view.from)
    show(view.from + by, view.to + by)
  } else zoom(Math.exp(event.deltaY * .0016), timeAt(Math.max(gutter, event.offsetX)))
  event.preventDefault()
}, { passive: false })
canvas.addEventListener("pointerdown", (event) => {
  drag = { x: event.offsetX, from: view.from, to: view.to, moved: false }
  canvas.setPointerCapture(event.pointerId); scroller.classList.add("dragging")
})
canvas.addEventListener("pointerup", (event) => {
  if (drag && !drag.moved && event.offsetX > gutter) point(timeAt(event.offsetX))
  drag = undefined; scroller.classList.remove("dragging")
})
canvas.addEventListener("pointermove", (event) => {
  if (drag) {
    if (Math.abs(drag.x - event.offsetX) > 3) drag.moved = true
    const by = (drag.x - event.offsetX) / (width() - gutter) * (drag.to - drag.from)
    if (drag.moved) show(drag.from + by, drag.to + by)
    return
  }
  pointer = event.offsetX > gutter ? event.offsetX : undefined
  tell(event); redraw()
})
canvas.addEventListener("pointerleave", () => { pointer = undefined; tip.style.opacity = 0; redraw() })
canvas.addEventListener("dblclick", (event) => zoom(.25, timeAt(event.offsetX)))
const slide = (event) => {
  const at = event.offsetX / overview.canvas.clientWidth * data.duration, half = (view.to - view.from) / 2
  show(at - half, at + half)
}
overview.canvas.addEventListener("pointerdown", slide)
overview.canvas.addEventListener("pointermove", (event) => { if (event.buttons === 1) slide(event) })

const changes = lanes[0].spans.filter(({ kind }) => kind === "leads").map(({ from }) => from).sort((a, b) => a - b)
const broken = data.violations.map(({ at }) => at)
const next = (places, span) => {
  const at = places.find((at) => at > middle() + 1e-3) ?? places[0]
  if (at !== undefined) visit(at, span)
}
const previous = (places, span) => {
  const at = places.findLast((at) => at < middle() - 1e-3) ?? places.at(-1)
  if (at !== undefined) visit(at, span)
}
const keys = {
  ArrowLeft: () => show(view.from - (view.to - view.from) * .2, view.to - (view.to - view.from) * .2),
  ArrowRight: () => show(view.from + (view.to - view.from) * .2, view.to + (view.to - view.from) * .2),
  "+": () => zoom(.6, middle()), "=": () => zoom(.6, middle()), "-": () => zoom(1.6, middle()), "0": () => show(0, data.duration),
  n: () => next(changes, 20), p: () => previous(changes, 20), v: () => next(broken, 8), V: () => previous(broken, 8)
}
addEventListener("keydown", (event) => {
  if (event.target.type === "search" || event.ctrlKey || event.metaKey || event.altKey || keys[event.key] === undefined) return
  event.preventDefault(); keys[event.key]()
})

// -- telling -------------------------------------------------------------------------------------------------------------

const tip = byId("tip")
const tell = (event) => {
  const lane = lanes.find(({ height, y }) => event.offsetY >= y && event.offsetY < y + height)
  if (!lane || event.offsetX < gutter) { tip.style.opacity = 0; return }
  const at = timeAt(event.offsetX), reach = 5 / (width() - gutter) * (view.to - view.from)
  const wrong = data.violations.filter((violation) => Math.abs(violation.at - at) < reach).slice(0, 3)
  const spans = lane.spans.filter((span) => span.label && span.from <= at && span.to >= at)
    .map(({ from, label, to }) => label + "  (" + from.toFixed(3) + " – " + to.toFixed(3) + " s)")
  const fuse = (lane.fuses ?? []).find(({ from, to }) => from <= at && to >= at)
  if (fuse !== undefined) spans.push("deadline " + fuse.deadline.toFixed(3) + " s, in " + (fuse.deadline - at).toFixed(3) + " s")
  const close = lane.marks.filter((mark) => Math.abs(mark.at - at) < reach)
    .sort((a, b) => ranks.indexOf(b.kind) - ranks.indexOf(a.kind)).slice(0, 6).map(({ at, label }) => at.toFixed(6) + " s  " + label)
  tip.replaceChildren(
    make("div", { textContent: at.toFixed(4) + " s" }),
    ...wrong.map(({ checker, message }) => make("div", { className: "bad", textContent: "✗ " + checker + ": " + message })),
    ...[...spans, ...close].map((textContent) => make("div", { textContent }))
  )
  tip.style.opacity = 1
  const box = tip.getBoundingClientRect()
  tip.style.left = Math.max(8, Math.min(event.clientX + 14, innerWidth - box.width - 8)) + "px"
  tip.style.top = (event.clientY + 18 + box.height > innerHeight ? event.clientY - box.height - 12 : event.clientY + 18) + "px"
}

const list = byId("log"), filter = byId("filter"), everything = byId("everything"), count = byId("count"), most = 1000
const routine = new Set(["renewed", "step", "guarded", "noted", "fault", "clock", "accepts", "refuses", "conflict", "done"])
const places = new Map(lanes.filter(({ place }) => place !== undefined).map(({ name, place }) => [name, place]))
let pending
const later = () => { clearTimeout(pending); pending = setTimeout(() => { showLog(); address() }, 80) }
const isWanted = ([, who, what, rest]) => {
  const text = filter.value.trim().toLowerCase()
  if (text !== "") return (who + " " + what + " " + rest).toLowerCase().includes(text)
  return everything.checked || !routine.has(what)
}
const showLog = () => {
  const shown = [
    ...data.log.filter((entry) => entry[0] >= view.from && entry[0] <= view.to && isWanted(entry)),
    ...data.violations.filter(({ at }) => at >= view.from && at <= view.to)
      .map(({ at, checker, lane, message }) => [at, lane ?? "", "✗ " + checker, message])
  ].sort((a, b) => a[0] - b[0])
  list.replaceChildren(...shown.slice(0, most).map(([at, who, what, rest]) => {
    const owner = make("span", { textContent: who })
    const place = places.get(who.split("#")[0])
    if (place !== undefined) owner.style.color = inkOf(place)
    const line = make("p", { className: what.startsWith("✗") ? "bad" : "", onclick: () => visit(at, 8) },
      make("span", { textContent: at.toFixed(6) + " s" }), owner, make("span", { textContent: what }), make("span", { textContent: rest }))
    line.dataset.at = at
    return line
  }))
  count.textContent = shown.length <= most ? shown.length + (shown.length === 1 ? " event" : " events") + " in this part" : "the first " + most + " of " + shown.length + " events: zoom in to see the others"
}
/** Finds the event of that time in the list. */
const point = (at) => {
  for (const line of list.querySelectorAll(".near")) line.classList.remove("near")
  const lines = [...list.children]
  const nearest = lines.reduce((best, line) => best === undefined || Math.abs(line.dataset.at - at) < Math.abs(best.dataset.at - at) ? line : best, undefined)
  nearest?.classList.add("near"); nearest?.scrollIntoView({ block: "center" })
}
filter.addEventListener("input", showLog)
everything.addEventListener("change", showLog)
byId("events").querySelector("form").addEventListener("submit", (event) => event.preventDefault())

// -- beginning -----------------------------------------------------------------------------------------------------------

byId("title").textContent = data.title
byId("summary").textContent = data.summary
const verdict = byId("verdict"), { length: failures } = data.violations
verdict.textContent = failures === 0 ? "every promise kept" : "promises broken: " + failures
verdict.classList.toggle("broken", failures > 0)
byId("violations").replaceChildren(...data.violations.slice(0, 30).map(({ at, checker, message }, index) =>
  make("button", { onclick: () => visit(at, 8) },
    make("span", { textContent: at.toFixed(3) + " s" }), make("b", { textContent: checker }), make("span", { textContent: message }),
    ...(data.violations.findIndex((first) => first.checker === checker) === index
      ? [make("small", { textContent: "promised: " + data.promises[checker] })] : []))
), ...(failures > 30 ? [make("p", { textContent: "and " + (failures - 30) + " more: press v to go from one to the next" })] : []))
byId("all").onclick = keys["0"]
byId("in").onclick = keys["+"]
byId("out").onclick = keys["-"]
byId("next").onclick = keys.n
byId("previous").onclick = keys.p
canvas.style.height = total + "px"
canvas.setAttribute("aria-label", data.title + ": " + data.summary)
choose()
night.addEventListener("change", () => { choose(); redraw(); showLog() })
addEventListener("hashchange", fromAddress)
new ResizeObserver(redraw).observe(scroller)
if (!fromAddress()) {
  if (failures > 0) show(broken[0] - 15, broken[0] + 15)
  else show(0, data.duration)
}
`
