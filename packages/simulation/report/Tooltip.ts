/** The tooltip beside the pointer. */
import { byId, make } from "./dom.ts"
import { makeByImportance } from "./looks.ts"
import type { Theme } from "./Theme.ts"
import { gutter, type Timeline } from "./Timeline.ts"

/** Returns the function that shows the tooltip, or hides it without an event over a lane. */
export const makeTooltip = (theme: Theme, timeline: Timeline) => (event: PointerEvent | undefined): void => {
  const element = byId("tip")
  const lane = event && timeline.laneAt(event.offsetY)
  if (lane === undefined || event === undefined || event.offsetX < gutter) {
    element.style.opacity = "0"
    return
  }
  const at = timeline.timeAt(event.offsetX)
  const time = (at: number, digits: number) => timeline.timeText(at, digits)
  const reach = timeline.secondsOf(5)
  const broken = timeline.data.violations.filter((violation) => Math.abs(violation.at - at) < reach).slice(0, 3)
  const spans = lane.spans.filter(({ from, label, to }) => label !== "" && from <= at && to >= at)
    .map(({ from, label, to }) => `${label}  (${time(from, 3)} – ${time(to, 3)})`)
  const leases = (lane.leases ?? []).filter(({ from, to }) => from <= at && to >= at).slice(0, 1)
    .map(({ deadline }) => `deadline ${time(deadline, 3)}, in ${(deadline - at).toFixed(3)} s`)
  const marks = lane.marks.filter((mark) => Math.abs(mark.at - at) < reach)
    .toSorted(makeByImportance(theme)).slice(0, 6).map(({ at, label }) => `${time(at, 6)}  ${label}`)
  element.replaceChildren(
    make("div", { textContent: time(at, 4) }),
    ...broken.map(({ checker, message }) => make("div", { className: "bad", textContent: `✗ ${checker}: ${message}` })),
    ...[...spans, ...leases, ...marks].map((textContent) => make("div", { textContent }))
  )
  const { clientX, clientY } = event
  const { style } = element
  style.opacity = "1"
  const { height, width } = element.getBoundingClientRect()
  style.left = `${Math.max(8, Math.min(clientX + 14, innerWidth - width - 8))}px`
  style.top = `${clientY + 18 + height > innerHeight ? clientY - height - 12 : clientY + 18}px`
}
