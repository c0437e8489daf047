/** Moves the timeline by pointer, wheel, keys, and the address of the page. */
import { byId, type Surface } from "./dom.ts"
import { gutter, type Timeline } from "./Timeline.ts"

/** Writes the visible part into the address, so that it can be shared. */
export const writeAddress = ({ data, from, span, to }: Timeline): void => {
  const isWhole = span === data.duration
  const address = isWhole ? location.pathname + location.search : `#${from.toFixed(3)}-${to.toFixed(3)}`
  history.replaceState(null, "", address)
}

/** Shows the part in the address, and returns whether it has one. */
export const followAddress = (timeline: Timeline): boolean => {
  const [, from, to] = /^#(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)$/.exec(location.hash) ?? []
  if (from === undefined || !(Number(from) < Number(to))) return false
  timeline.show(Number(from), Number(to))
  return true
}

/** Wheel to zoom, drag to move. `over` is called with the pointer, until it leaves; `at` with the instant of a click. */
export const byPointer = (
  timeline: Timeline,
  { canvas }: Surface,
  over: (event: PointerEvent | undefined) => void,
  at: (instant: number) => void
): void => {
  const scroller = canvas.parentElement!
  let drag: { readonly x: number; readonly from: number; readonly to: number; moved: boolean } | undefined
  canvas.addEventListener("wheel", (event) => {
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      timeline.move(timeline.secondsOf(event.deltaX === 0 ? event.deltaY : event.deltaX))
    } else timeline.zoom(Math.exp(event.deltaY * 0.0016), timeline.timeAt(Math.max(gutter, event.offsetX)))
    event.preventDefault()
  }, { passive: false })
  canvas.addEventListener("pointerdown", (event) => {
    drag = { x: event.offsetX, from: timeline.from, to: timeline.to, moved: false }
    canvas.setPointerCapture(event.pointerId)
    scroller.classList.add("dragging")
  })
  canvas.addEventListener("pointerup", (event) => {
    if (drag?.moved === false && event.offsetX > gutter) at(timeline.timeAt(event.offsetX))
    drag = undefined
    scroller.classList.remove("dragging")
  })
  canvas.addEventListener("pointermove", (event) => {
    if (drag === undefined) return over(event)
    if (Math.abs(drag.x - event.offsetX) > 3) drag.moved = true
    const by = timeline.secondsOf(drag.x - event.offsetX)
    if (drag.moved) timeline.show(drag.from + by, drag.to + by)
  })
  canvas.addEventListener("pointerleave", () => over(undefined))
  canvas.addEventListener("dblclick", (event) => timeline.zoom(0.25, timeline.timeAt(event.offsetX)))
}

export const byOverview = (timeline: Timeline, { canvas }: Surface): void => {
  const slide = (event: PointerEvent): void => {
    const at = event.offsetX / canvas.clientWidth * timeline.data.duration
    timeline.show(at - timeline.span / 2, at + timeline.span / 2)
  }
  canvas.addEventListener("pointerdown", slide)
  canvas.addEventListener("pointermove", (event) => {
    if (event.buttons === 1) slide(event)
  })
}

/** The keys, and their buttons. */
export const byKeys = (timeline: Timeline): void => {
  const elections = timeline.lanes[0]!.spans.filter(({ kind }) => kind === "leads").map(({ from }) => from)
    .toSorted((a, b) => a - b)
  const broken = timeline.data.violations.map(({ at }) => at)
  const closer = (): void => timeline.zoom(0.6, timeline.middle)
  /** Goes to the next or previous of several instants, and after the last to the first. */
  const visit = (instants: ReadonlyArray<number>, direction: 1 | -1, span: number) => (): void => {
    const ordered = direction === 1 ? instants : instants.toReversed()
    const at = ordered.find((at) => (at - timeline.middle) * direction > 1e-3) ?? ordered[0]
    if (at !== undefined) timeline.visit(at, span)
  }
  const keys: { readonly [key: string]: () => void } = {
    ArrowLeft: () => timeline.move(-0.2 * timeline.span),
    ArrowRight: () => timeline.move(0.2 * timeline.span),
    "+": closer,
    "=": closer,
    "-": () => timeline.zoom(1.6, timeline.middle),
    "0": () => timeline.showAll(),
    n: visit(elections, 1, 20),
    p: visit(elections, -1, 20),
    v: visit(broken, 1, 8),
    V: visit(broken, -1, 8)
  }
  addEventListener("keydown", (event) => {
    const isTyping = event.target instanceof HTMLInputElement && event.target.type === "search"
    const act = keys[event.key]
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey || act === undefined) return
    event.preventDefault()
    act()
  })
  const buttons = { all: "0", in: "+", out: "-", next: "n", previous: "p" }
  for (const [id, key] of Object.entries(buttons)) byId(id).addEventListener("click", keys[key]!)
}
