/** The page of a report: its look, and what it does with the data that are put into it. */

const style = `
:root { color-scheme: light dark; --ground: #fbfaf7; --ink: #22262b; --soft: #6b7178; --line: #e2dfd8; --lane: #f2f0ea;
  --alive: #d9d6ce; --bad: #d0021b; --panel: #ffffff }
@media (prefers-color-scheme: dark) { :root { --ground: #16181c; --ink: #e8e6e1; --soft: #979ca3; --line: #2c3036;
  --lane: #1d2025; --alive: #383d45; --bad: #ff5a5f; --panel: #1f2227 } }
* { box-sizing: border-box }
html, body { height: 100%; margin: 0 }
body { display: flex; flex-direction: column; background: var(--ground); color: var(--ink);
  font: 14px/1.45 system-ui, -apple-system, "Segoe UI", sans-serif }
header { padding: 14px 20px 10px; display: flex; flex-wrap: wrap; gap: 4px 22px; align-items: baseline }
h1 { font-size: 19px; margin: 0; font-weight: 650 }
header .summary { color: var(--soft) }
.verdict { font-weight: 600; padding: 2px 10px; border-radius: 999px; border: 1px solid currentColor; color: #2e7d4f }
.verdict.broken { color: var(--bad) }
.tools { margin-left: auto; display: flex; gap: 6px }
button { font: inherit; color: inherit; background: var(--panel); border: 1px solid var(--line); border-radius: 6px;
  padding: 3px 10px; cursor: pointer }
button:hover { border-color: var(--soft) }
#violations { display: flex; flex-wrap: wrap; gap: 6px; padding: 0 20px 8px; max-height: 108px; overflow: auto }
#violations button { border-color: var(--bad); color: var(--bad); text-align: left }
#legend { display: flex; flex-wrap: wrap; gap: 4px 16px; padding: 0 20px 8px; color: var(--soft); font-size: 12.5px }
#legend span::before { content: ""; display: inline-block; width: 18px; height: 10px; margin-right: 6px; border-radius: 2px;
  background: var(--swatch); vertical-align: -1px }
#overview { height: 34px; margin: 0 20px 4px; position: relative }
#stage { position: relative; margin: 0 20px; border: 1px solid var(--line); border-radius: 8px; overflow: hidden;
  background: var(--panel) }
canvas { display: block; width: 100%; height: 100% }
#stage canvas { cursor: grab } #stage.dragging canvas { cursor: grabbing }
#tip { position: fixed; pointer-events: none; background: var(--ink); color: var(--ground); padding: 6px 10px;
  border-radius: 6px; font-size: 12.5px; max-width: 520px; opacity: 0; transition: opacity .08s; z-index: 2 }
#tip div { white-space: nowrap; overflow: hidden; text-overflow: ellipsis }
#log { flex: 1; min-height: 90px; margin: 8px 20px 14px; overflow: auto; border: 1px solid var(--line); border-radius: 8px;
  background: var(--panel); font: 12px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; padding: 6px 0 }
#log p { margin: 0; padding: 0 12px; white-space: pre; cursor: pointer }
#log p:hover, #log p.near { background: var(--lane) }
#log p.bad { color: var(--bad); font-weight: 600 }
`

const script = String.raw`
const data = JSON.parse(document.getElementById("data").textContent)
const hues = [212, 28, 145, 285, 352, 178, 48, 320, 100, 250]
const hue = (place, light, alpha) => "hsl(" + hues[place % hues.length] + " 62% " + light + "% / " + (alpha ?? 1) + ")"
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim()
const byId = (id) => document.getElementById(id)
const stage = byId("stage"), canvas = stage.querySelector("canvas"), context = canvas.getContext("2d")
const overview = byId("overview").querySelector("canvas"), small = overview.getContext("2d")
const gutter = 92, top = 26
const heights = { process: 46, database: 44, world: 26, operator: 30 }
let y = top
const lanes = data.lanes.map((lane) => { const from = y; y += heights[lane.kind]; return { ...lane, from, height: heights[lane.kind] } })
const total = y + 4
stage.style.height = total + "px"
let view = { from: 0, to: data.duration }

const width = () => canvas.clientWidth
const x = (at) => gutter + (at - view.from) / (view.to - view.from) * (width() - gutter)
const timeAt = (px) => view.from + (px - gutter) / (width() - gutter) * (view.to - view.from)

const fit = (element, brush) => {
  const ratio = devicePixelRatio || 1
  const w = Math.round(element.clientWidth * ratio), h = Math.round(element.clientHeight * ratio)
  if (element.width !== w || element.height !== h) { element.width = w; element.height = h }
  brush.setTransform(ratio, 0, 0, ratio, 0, 0)
}
const stripes = {}
const striped = (colour, ground) => {
  const key = colour + ground
  if (stripes[key]) return stripes[key]
  const tile = document.createElement("canvas"); tile.width = tile.height = 8
  const brush = tile.getContext("2d")
  if (ground) { brush.fillStyle = ground; brush.fillRect(0, 0, 8, 8) }
  brush.strokeStyle = colour; brush.lineWidth = 2
  for (const offset of [-8, 0, 8]) { brush.beginPath(); brush.moveTo(offset, 8); brush.lineTo(offset + 8, 0); brush.stroke() }
  return stripes[key] = context.createPattern(tile, "repeat")
}
const looks = {
  alive: (lane, span) => ({ y: 20, h: 6, fill: css("--alive") }),
  believes: (lane, span) => ({ y: 6, h: 22, fill: hue(span.of, 55, .42) }),
  works: (lane, span) => ({ y: 12, h: 10, fill: hue(span.of, 45) }),
  finalizes: (lane, span) => ({ y: 12, h: 10, fill: striped(hue(span.of, 38), hue(span.of, 70)) }),
  tenure: (lane, span) => ({ y: 8, h: 22, fill: span.of === undefined ? css("--soft") : hue(span.of, 48), text: span.label }),
  freeze: () => ({ y: 3, h: 32, fill: striped("rgb(96 125 139 / .85)", "rgb(144 164 174 / .28)") }),
  suspend: () => ({ y: 3, h: 32, fill: striped("rgb(106 90 180 / .85)", "rgb(150 130 210 / .25)") }),
  stall: () => ({ y: 3, h: 32, fill: "rgb(96 125 139 / .6)" }),
  partition: () => ({ y: 37, h: 5, fill: "#e08a1e" }),
  fade: () => ({ y: 37, h: 5, fill: "rgb(224 138 30 / .55)" }),
  duplicate: () => ({ y: 42, h: 2, fill: css("--soft") }),
  storm: () => ({ y: 5, h: 15, fill: "rgb(120 130 140 / .45)", text: "storm" }),
  outage: () => ({ y: 3, h: 19, fill: "rgb(176 42 55 / .8)", text: "outage" }),
  disable: () => ({ y: 5, h: 18, fill: "rgb(120 130 140 / .4)", text: "disabled" }),
  garbage: () => ({ y: 5, h: 18, fill: "rgb(176 42 55 / .45)", text: "garbage" })
}
const order = ["alive", "believes", "works", "finalizes", "partition", "fade", "freeze", "suspend", "stall", "duplicate", "tenure",
  "storm", "outage", "disable", "garbage"]
const marks = {
  step: (brush, px, y, mark) => { brush.fillStyle = hue(mark.of, 25); brush.fillRect(px - .5, y + 12, 1, 10) },
  renewed: (brush, px, y, mark) => { brush.fillStyle = hue(mark.of, 35); brush.fillRect(px - .5, y + 3, 1, 4) },
  elected: (brush, px, y, mark) => {
    brush.fillStyle = hue(mark.of, 38); brush.beginPath(); brush.moveTo(px, y + 10); brush.lineTo(px - 5, y + 1)
    brush.lineTo(px + 5, y + 1); brush.fill()
  },
  lost: (brush, px, y, mark) => { brush.fillStyle = hue(mark.of, 30); brush.fillRect(px - 1, y + 4, 2, 26) },
  crashes: (brush, px, y) => {
    brush.strokeStyle = css("--bad"); brush.lineWidth = 2; brush.beginPath()
    brush.moveTo(px - 5, y + 18); brush.lineTo(px + 5, y + 28); brush.moveTo(px + 5, y + 18); brush.lineTo(px - 5, y + 28)
    brush.stroke()
  },
  exits: (brush, px, y) => { brush.fillStyle = css("--ink"); brush.fillRect(px - 1, y + 15, 2, 16) },
  overrun: (brush, px, y) => { brush.fillStyle = css("--bad"); brush.fillRect(px - 1, y + 2, 2, 36) },
  challenged: (brush, px, y, mark) => { dot(brush, px, y + 33, 3, hue(mark.of, 50)) },
  registered: (brush, px, y) => { dot(brush, px, y + 23, 2.5, css("--soft")) },
  "renewal-failed": (brush, px, y) => { dot(brush, px, y + 33, 2, css("--bad")) },
  retried: (brush, px, y) => { dot(brush, px, y + 33, 1.5, "#e08a1e") },
  fault: (brush, px, y) => { dot(brush, px, y + 40, 1.5, css("--soft")) },
  commit: (brush, px, y, mark) => { brush.fillStyle = css("--ink"); brush.fillRect(px - .5, y + 4, 1, 30) },
  renew: (brush, px, y, mark) => { brush.fillStyle = mark.of === undefined ? css("--ink") : hue(mark.of, 30); brush.fillRect(px - .5, y + 32, 1, 6) },
  illegal: (brush, px, y) => { brush.fillStyle = css("--bad"); brush.fillRect(px - 2, y + 1, 4, 40) },
  act: (brush, px, y) => { brush.fillStyle = css("--ink"); brush.beginPath(); brush.moveTo(px, y + 5); brush.lineTo(px + 5, y + 13)
    brush.lineTo(px, y + 21); brush.lineTo(px - 5, y + 13); brush.fill() }
}
const dot = (brush, px, py, r, fill) => { brush.fillStyle = fill; brush.beginPath(); brush.arc(px, py, r, 0, 7); brush.fill() }

const ticks = () => {
  const span = view.to - view.from, wanted = Math.max(2, (width() - gutter) / 110)
  const raw = span / wanted, power = 10 ** Math.floor(Math.log10(raw))
  const step = [1, 2, 5, 10].map((times) => times * power).find((step) => step >= raw)
  const found = []
  for (let at = Math.ceil(view.from / step) * step; at <= view.to; at += step) found.push(at)
  return { found, digits: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) }
}

const draw = () => {
  fit(canvas, context)
  const brush = context, w = width()
  brush.clearRect(0, 0, w, total)
  brush.font = "12px system-ui, sans-serif"; brush.textBaseline = "middle"
  lanes.forEach((lane, index) => {
    if (index % 2 === 0) { brush.fillStyle = css("--lane"); brush.fillRect(0, lane.from, w, lane.height) }
  })
  const { found, digits } = ticks()
  for (const at of found) {
    brush.fillStyle = css("--line"); brush.fillRect(Math.round(x(at)), top - 6, 1, total)
    brush.fillStyle = css("--soft"); brush.fillText(at.toFixed(digits) + " s", x(at) + 4, 13)
  }
  brush.save(); brush.beginPath(); brush.rect(gutter, 0, w - gutter, total); brush.clip()
  if (data.quietAt < data.duration) {
    brush.fillStyle = "rgb(46 125 79 / .07)"; brush.fillRect(x(data.quietAt), top, w, total)
    brush.fillStyle = "#2e7d4f"; brush.fillText("nothing goes wrong from here on", x(data.quietAt) + 6, total - 9)
  }
  for (const lane of lanes) {
    for (const kind of order) {
      for (const span of lane.spans) {
        if (span.kind !== kind || span.to < view.from || span.from > view.to) continue
        const look = looks[kind](lane, span), left = Math.max(x(span.from), gutter - 2), right = Math.min(x(span.to), w + 2)
        brush.fillStyle = look.fill; brush.fillRect(left, lane.from + look.y, Math.max(1, right - left), look.h)
        if (look.text !== undefined && right - left > 40) {
          brush.save(); brush.beginPath(); brush.rect(left, lane.from, right - left - 4, lane.height); brush.clip()
          brush.fillStyle = kind === "tenure" || kind === "outage" ? "#fff" : css("--ink")
          brush.fillText(look.text, left + 6, lane.from + look.y + look.h / 2 + .5); brush.restore()
        }
      }
    }
    const tiny = (view.to - view.from) > 240
    for (const mark of lane.marks) {
      if (mark.at < view.from || mark.at > view.to) continue
      if (tiny && (mark.kind === "step" || mark.kind === "fault")) continue
      marks[mark.kind]?.(brush, x(mark.at), lane.from, mark)
    }
  }
  for (const violation of data.violations) {
    if (violation.at < view.from || violation.at > view.to) continue
    const px = x(violation.at), lane = lanes.find(({ name }) => name === violation.lane)
    brush.fillStyle = css("--bad"); brush.fillRect(px - 1, top - 8, 2, total)
    if (lane) { brush.globalAlpha = .16; brush.fillRect(px - 14, lane.from, 28, lane.height); brush.globalAlpha = 1 }
    brush.beginPath(); brush.moveTo(px, top - 2); brush.lineTo(px - 6, top - 12); brush.lineTo(px + 6, top - 12); brush.fill()
  }
  if (pointer !== undefined) { brush.fillStyle = css("--soft"); brush.fillRect(pointer, top - 6, 1, total) }
  brush.restore()
  lanes.forEach((lane) => {
    const place = lane.kind === "process" ? lanes.filter(({ kind }) => kind === "process").indexOf(lane) : undefined
    if (place !== undefined) { brush.fillStyle = hue(place, 50); brush.fillRect(12, lane.from + 17, 10, 10) }
    brush.fillStyle = css("--ink"); brush.font = "600 13px system-ui, sans-serif"
    brush.fillText(lane.name, place === undefined ? 12 : 30, lane.from + Math.min(22, lane.height / 2 + 1))
  })
  drawOverview()
}

const drawOverview = () => {
  fit(overview, small)
  const w = overview.clientWidth, h = overview.clientHeight, at = (t) => t / data.duration * w
  small.clearRect(0, 0, w, h)
  small.fillStyle = css("--lane"); small.fillRect(0, 4, w, h - 8)
  for (const span of lanes[0].spans) {
    small.fillStyle = span.of === undefined ? css("--soft") : hue(span.of, 52)
    small.fillRect(at(span.from), 8, Math.max(1, at(span.to) - at(span.from)), h - 16)
  }
  for (const { at: t } of data.violations) { small.fillStyle = css("--bad"); small.fillRect(at(t) - 1, 2, 3, h - 4) }
  small.strokeStyle = css("--ink"); small.lineWidth = 1.5
  small.strokeRect(at(view.from) + .75, 2.75, Math.max(3, at(view.to) - at(view.from) - 1.5), h - 5.5)
}

const show = (from, to) => {
  const span = Math.min(data.duration, Math.max(.002, to - from))
  const start = Math.min(Math.max(0, from), data.duration - span)
  view = { from: start, to: start + span }
  requestAnimationFrame(draw); scheduleLog()
}
const zoom = (factor, around) => show(around - (around - view.from) * factor, around + (view.to - around) * factor)

let pointer, drag
canvas.addEventListener("wheel", (event) => {
  event.preventDefault()
  if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
    const by = (event.deltaX || event.deltaY) / width() * (view.to - view.from)
    show(view.from + by, view.to + by)
  } else zoom(Math.exp(event.deltaY * .0016), timeAt(event.offsetX))
}, { passive: false })
canvas.addEventListener("pointerdown", (event) => {
  drag = { x: event.offsetX, from: view.from, to: view.to }; canvas.setPointerCapture(event.pointerId); stage.classList.add("dragging")
})
canvas.addEventListener("pointerup", () => { drag = undefined; stage.classList.remove("dragging") })
canvas.addEventListener("pointermove", (event) => {
  if (drag) {
    const by = (drag.x - event.offsetX) / (width() - gutter) * (drag.to - drag.from)
    show(drag.from + by, drag.to + by)
    return
  }
  pointer = event.offsetX > gutter ? event.offsetX : undefined
  tell(event); requestAnimationFrame(draw)
})
canvas.addEventListener("pointerleave", () => { pointer = undefined; tip.style.opacity = 0; requestAnimationFrame(draw) })
canvas.addEventListener("dblclick", (event) => zoom(.25, timeAt(event.offsetX)))
const slide = (event) => {
  const middle = event.offsetX / overview.clientWidth * data.duration, half = (view.to - view.from) / 2
  show(middle - half, middle + half)
}
overview.addEventListener("pointerdown", slide)
overview.addEventListener("pointermove", (event) => { if (event.buttons === 1) slide(event) })
addEventListener("keydown", (event) => {
  const step = (view.to - view.from) * .2
  if (event.key === "ArrowLeft") show(view.from - step, view.to - step)
  else if (event.key === "ArrowRight") show(view.from + step, view.to + step)
  else if (event.key === "+" || event.key === "=") zoom(.6, (view.from + view.to) / 2)
  else if (event.key === "-") zoom(1.6, (view.from + view.to) / 2)
  else if (event.key === "0") show(0, data.duration)
})

const tip = byId("tip")
const tell = (event) => {
  const lane = lanes.find(({ from, height }) => event.offsetY >= from && event.offsetY < from + height)
  if (!lane || event.offsetX < gutter) { tip.style.opacity = 0; return }
  const at = timeAt(event.offsetX), reach = 5 / (width() - gutter) * (view.to - view.from)
  const near = data.violations.filter((violation) => Math.abs(violation.at - at) < reach)
    .map(({ checker, message }) => "✗ " + checker + ": " + message)
  const spans = lane.spans.filter((span) => span.from <= at && span.to >= at)
    .map(({ from, label, to }) => label + "  (" + from.toFixed(3) + " – " + to.toFixed(3) + " s)")
  const close = lane.marks.filter((mark) => Math.abs(mark.at - at) < reach)
    .sort((a, b) => Math.abs(a.at - at) - Math.abs(b.at - at)).slice(0, 6).map(({ at, label }) => at.toFixed(6) + "  " + label)
  const lines = [at.toFixed(4) + " s", ...near, ...spans, ...close]
  tip.replaceChildren(...lines.map((line) => Object.assign(document.createElement("div"), { textContent: line })))
  tip.style.opacity = 1
  const box = tip.getBoundingClientRect()
  tip.style.left = Math.min(event.clientX + 14, innerWidth - box.width - 8) + "px"
  tip.style.top = Math.min(event.clientY + 16, innerHeight - box.height - 8) + "px"
}

const list = byId("log"), most = 400
let pending
const scheduleLog = () => { clearTimeout(pending); pending = setTimeout(showLog, 60) }
const showLog = () => {
  const found = data.log.filter(([at]) => at >= view.from && at <= view.to)
  const lines = found.slice(0, most).map(([at, line]) => {
    const element = Object.assign(document.createElement("p"), { textContent: line })
    if (data.violations.some((violation) => Math.abs(violation.at - at) < 1e-6)) element.className = "bad"
    element.onclick = () => show(at - 1, at + 1)
    return element
  })
  if (found.length > most) {
    lines.push(Object.assign(document.createElement("p"), { textContent: "… " + (found.length - most) + " more: zoom in to see them" }))
  }
  list.replaceChildren(...lines)
}

byId("title").textContent = data.title
byId("summary").textContent = data.summary
const verdict = byId("verdict")
verdict.textContent = data.violations.length === 0 ? "every promise kept" : data.violations.length + (data.violations.length === 1 ? " promise broken" : " promises broken")
verdict.classList.toggle("broken", data.violations.length > 0)
byId("violations").replaceChildren(...data.violations.slice(0, 40).map(({ at, checker, message }) => {
  const button = Object.assign(document.createElement("button"), { textContent: at.toFixed(3) + " s  " + checker + ": " + message })
  button.onclick = () => show(at - 4, at + 4)
  return button
}))
byId("all").onclick = () => show(0, data.duration)
byId("in").onclick = () => zoom(.5, (view.from + view.to) / 2)
byId("out").onclick = () => zoom(2, (view.from + view.to) / 2)
new ResizeObserver(() => draw()).observe(stage)
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw)
if (data.violations.length > 0) show(data.violations[0].at - 15, data.violations[0].at + 15)
else show(0, data.duration)
`

const legend: ReadonlyArray<readonly [string, string]> = [
  ["runs as a candidate", "var(--alive)"],
  ["believes that it leads, until its deadline", "hsl(212 62% 55% / .42)"],
  ["works", "hsl(212 62% 45%)"],
  ["finalizers", "repeating-linear-gradient(135deg, hsl(212 62% 38%) 0 2px, hsl(212 62% 70%) 2px 5px)"],
  ["frozen", "repeating-linear-gradient(135deg, #607d8b 0 2px, #b0bec5 2px 5px)"],
  ["suspended", "repeating-linear-gradient(135deg, #6a5ab4 0 2px, #c9bfe8 2px 5px)"],
  ["cut off", "#e08a1e"],
  ["broken promise", "var(--bad)"]
]

/** The whole page; `data` is JSON that may stand in a script. */
export const page = (title: string, data: string): string =>
  `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title} – simulated election</title>
<style>${style}</style>
<header>
  <h1 id="title"></h1><span id="summary" class="summary"></span><span id="verdict" class="verdict"></span>
  <span class="tools"><button id="in" title="+">zoom in</button><button id="out" title="-">zoom out</button>
  <button id="all" title="0">all</button></span>
</header>
<div id="violations"></div>
<div id="legend">${
    legend.map(([name, swatch]) => `<span style="--swatch: ${swatch}">${name}</span>`).join("")
  }<span style="--swatch: none">▼ elected &nbsp; ✕ crashed &nbsp; ◆ an operator &nbsp; wheel to zoom, drag to move</span></div>
<div id="overview"><canvas></canvas></div>
<div id="stage"><canvas></canvas></div>
<div id="tip"></div>
<div id="log"></div>
<script id="data" type="application/json">${data}</script>
<script type="module">${script}</script>
</html>
`
