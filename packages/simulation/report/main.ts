/** The program of a report page. It shows the data of the page. */
import type { ReportData } from "../src/internal/reportData.ts"
import { byId, make, surfaceIn } from "./dom.ts"
import { makeEventList } from "./EventList.ts"
import { byKeys, byOverview, byPointer, followAddress, writeAddress } from "./navigation.ts"
import { makePainter } from "./Painter.ts"
import { Theme } from "./Theme.ts"
import { gutter, Timeline } from "./Timeline.ts"
import { makeTooltip } from "./Tooltip.ts"

const data = JSON.parse(byId("data").textContent) as ReportData
const surfaces = { stage: surfaceIn("lanes"), axis: surfaceIn("axis"), overview: surfaceIn("overview") }

/** The x of the pointer. */
let pointer: number | undefined
let isDrawing = false
const redraw = (): void => {
  if (isDrawing) return
  isDrawing = true
  requestAnimationFrame(() => {
    isDrawing = false
    draw(pointer)
  })
}

let pending: ReturnType<typeof setTimeout> | undefined
/** Updates the list once after many movements. */
const listLater = (): void => {
  clearTimeout(pending)
  pending = setTimeout(() => {
    events.show()
    writeAddress(timeline)
  }, 80)
}

const theme = new Theme()
const timeline = new Timeline(data, () => surfaces.stage.width, () => {
  redraw()
  listLater()
})
const draw = makePainter(theme, timeline, surfaces)
const events = makeEventList(theme, timeline)
const showTooltip = makeTooltip(theme, timeline)

byPointer(timeline, surfaces.stage, (event) => {
  pointer = event !== undefined && event.offsetX > gutter ? event.offsetX : undefined
  showTooltip(event)
  redraw()
}, events.point)
byOverview(timeline, surfaces.overview)
byKeys(timeline)
addEventListener("hashchange", () => followAddress(timeline))
theme.onChange(() => {
  redraw()
  events.show()
})

/** The largest number of violations above the lanes. */
const most = 30

const { violations } = data
byId("title").textContent = data.title
byId("summary").textContent = data.summary
const verdict = byId("verdict")
verdict.textContent = violations.length === 0 ? "no violations" : `violations: ${violations.length}`
verdict.classList.toggle("broken", violations.length > 0)
byId("violations").replaceChildren(
  ...violations.slice(0, most).map(({ at, checker, message }, index) => {
    const button = make(
      "button",
      { onclick: () => timeline.visit(at, 8) },
      make("span", { textContent: `${at.toFixed(3)} s` }),
      make("b", { textContent: checker }),
      make("span", { textContent: message })
    )
    // Each guarantee is shown once.
    if (violations.findIndex((first) => first.checker === checker) === index) {
      button.append(make("small", { textContent: `guarantee: ${data.promises[checker]}` }))
    }
    return button
  })
)
const more = `and ${violations.length - most} more: press v to go from one to the next`
if (violations.length > most) byId("violations").append(make("p", { textContent: more }))

const { canvas } = surfaces.stage
canvas.style.height = `${timeline.height}px`
canvas.setAttribute("aria-label", `${data.title}: ${data.summary}`)
new ResizeObserver(redraw).observe(byId("lanes"))
if (!followAddress(timeline)) {
  const [first] = violations
  if (first === undefined) timeline.showAll()
  else timeline.show(first.at - 15, first.at + 15)
}
