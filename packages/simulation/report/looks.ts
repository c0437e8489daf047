/** The drawing of each kind of span and mark. */
import type { Mark, Span } from "../src/internal/reportData.ts"
import type { Brush } from "./dom.ts"
import { faint, type Fill, type Theme } from "./Theme.ts"

/** The drawing of a span: its place in a lane of normal height, and its text. */
export interface Look {
  readonly y: number
  readonly height: number
  readonly fill: Fill
  readonly text?: string | undefined
  readonly ink?: string
}

type Looks = { readonly [kind: string]: (span: Span) => Look }

/** In drawing order: later kinds cover earlier ones. */
export const spanLooks = (theme: Theme): Looks => {
  const { colours } = theme
  const at = (y: number, height: number, fill: Fill, text?: string): Look => ({ y, height, fill, text })
  const stopped = (colour: string, text: string) => () => at(13, 30, theme.striped(colour, faint(colour, 20)), text)
  const below = (share: number, colour: string, text: string) => () => at(44, 10, faint(colour, share), text)
  const beside = (share: number, colour: string, text: string) => () => at(5, 18, faint(colour, share), text)
  const led = ({ of, text }: Span): Look => ({ y: 5, height: 20, fill: theme.hue(of, 45), text, ink: "#fff" })
  return {
    dead: () => at(40, 1.5, theme.dotted(colours.alive)),
    alive: () => at(39, 3, colours.alive),
    believes: ({ of }) => at(14, 15, theme.hue(of, 60, 0.28)),
    works: ({ of }) => at(29, 8, theme.hue(of, 45)),
    finalizes: ({ of }) => at(29, 8, theme.striped(theme.hue(of, 38), theme.hue(of, 70))),
    freeze: stopped(colours.night, "frozen"),
    stall: stopped(colours.night, "stalled"),
    suspend: stopped(colours.sleep, "suspended"),
    partition: below(55, colours.trouble, "cut off"),
    fade: below(30, colours.trouble, "slow, then cut off"),
    duplicate: below(30, colours.soft, "duplicate id"),
    leads: led,
    nobody: () => at(11, 8, theme.striped(colours.alive)),
    overlap: () => ({ y: 1, height: 28, fill: colours.bad, text: "two at once", ink: "#fff" }),
    tenure: led,
    vacant: () => at(5, 20, theme.striped(colours.line), "vacant"),
    storm: beside(35, colours.soft, "storm"),
    outage: beside(60, colours.trouble, "outage"),
    disable: beside(40, colours.soft, "disabled"),
    garbage: beside(45, colours.trouble, "garbage")
  }
}

/** A span of an unknown kind. */
export const plainLook = (theme: Theme, { kind: text }: Span): Look => {
  return { y: 5, height: 18, fill: faint(theme.colours.soft, 30), text }
}

/** The drawing of a mark. */
export interface MarkLook {
  /** Draws it at `x` in the lane at `y`. `scale` is the height of the lane, relative to the normal one. */
  readonly draw: (brush: Brush, x: number, y: number, mark: Mark, scale: number) => void
  /** It has a text if there is room. */
  readonly text?: true
  /** It, or its text, is drawn only if at most so many seconds are visible. */
  readonly near?: number
  readonly textNear?: number
}

export type MarkLooks = { readonly [kind: string]: MarkLook }

export const box = (brush: Brush, fill: Fill, x: number, y: number, width: number, height: number): void => {
  brush.fillStyle = fill
  brush.fillRect(x, y, width, height)
}

export const shape = (brush: Brush, fill: string, points: ReadonlyArray<readonly [number, number]>): void => {
  brush.fillStyle = fill
  brush.beginPath()
  for (const [x, y] of points) brush.lineTo(x, y)
  brush.fill()
}

const dotAt = (top: number, radius: number, fill: string): MarkLook["draw"] => (brush, x, y, _, s) => {
  brush.fillStyle = fill
  brush.beginPath()
  brush.arc(x, y + top * s, radius, 0, 7)
  brush.fill()
}

const barAt =
  (top: number, width: number, height: number, fill: (place?: number) => string): MarkLook["draw"] =>
  (brush, x, y, { of }, s) => box(brush, fill(of), x - width / 2, y + top * s, width, height * s)

/** The least important first: where there is no room for all texts, the last ones are shown. */
export const markLooks = (theme: Theme): MarkLooks => {
  const { colours } = theme
  const hue = (light: number, alpha?: number) => (place?: number) => theme.hue(place, light, alpha)
  const text = true
  return {
    step: { draw: barAt(29, 1, 8, hue(80, 0.9)), near: 120 },
    fault: { draw: dotAt(49, 1.5, colours.trouble), text, near: 20 },
    retried: { draw: dotAt(49, 2, colours.trouble) },
    "renewal-failed": { draw: dotAt(49, 2.5, colours.trouble), text, textNear: 30 },
    conflict: { draw: dotAt(49, 1.5, colours.trouble), text, near: 20 },
    renewed: { draw: barAt(11, 1, 5, hue(35)), near: 200 },
    registered: { draw: dotAt(40.5, 3, colours.soft), text, textNear: 60 },
    clock: { draw: dotAt(40.5, 2, colours.sleep) },
    prioritizes: { draw: dotAt(40.5, 2.5, colours.ink), text, textNear: 120 },
    challenged: {
      draw: (brush, x, y, { of }, s) =>
        shape(brush, theme.hue(of, 45), [[x, y + 33 * s], [x - 4, y + 39 * s], [x + 4, y + 39 * s]]),
      text,
      textNear: 120
    },
    stops: { draw: barAt(35, 2, 11, () => colours.soft), text, textNear: 120 },
    exits: { draw: barAt(33, 2, 15, () => colours.ink), text, textNear: 120 },
    resigned: { draw: barAt(29, 2, 14, hue(30)), near: 60 },
    lost: { draw: barAt(12, 2, 27, hue(theme.isDark ? 70 : 25)), text },
    overrun: { draw: barAt(10, 2, 30, () => colours.trouble), text },
    crashes: {
      draw: (brush, x, y, _, s) => {
        brush.strokeStyle = colours.ink
        brush.lineWidth = 2
        brush.beginPath()
        for (const slope of [-5, 5]) {
          brush.moveTo(x - 5, y + 40.5 * s + slope)
          brush.lineTo(x + 5, y + 40.5 * s - slope)
        }
        brush.stroke()
      },
      text
    },
    elected: {
      draw: (brush, x, y, { of }, s) =>
        shape(brush, theme.ink(of), [[x, y + 11 * s + 8], [x - 5, y + 11 * s], [x + 5, y + 11 * s]]),
      text
    },
    renew: { draw: barAt(27, 1, 7, hue(45)), text, near: 240, textNear: 25 },
    commit: { draw: barAt(27, 1.5, 11, () => colours.ink), text },
    illegal: { draw: barAt(2, 4, 46, () => colours.bad), text },
    act: {
      draw: (brush, x, y) => shape(brush, colours.ink, [[x, y + 7], [x + 5, y + 14], [x, y + 21], [x - 5, y + 14]]),
      text
    }
  }
}

/** Compares marks: the most important first. */
export const makeByImportance = (theme: Theme) => {
  const ranks = Object.keys(markLooks(theme))
  return (a: Mark, b: Mark): number => ranks.indexOf(b.kind) - ranks.indexOf(a.kind)
}
