/** How each kind of span and of mark looks. */
import type { Mark, Span } from "../src/internal/reportData.ts"
import { faint, type Fill, type Theme } from "./Theme.ts"

/** How a span is drawn: where in a lane that is not crowded, and what stands in it. */
export interface Look {
  readonly y: number
  readonly height: number
  readonly fill: Fill
  readonly text?: string | undefined
  readonly ink?: string
}

type Looks = { readonly [kind: string]: (span: Span) => Look }

/** In the order in which they are drawn: what comes later covers what came before. */
export const spanLooks = (theme: Theme): Looks => {
  const { colours } = theme
  const inProcess = (fill: Fill, text: string): Look => ({ y: 13, height: 30, fill, text })
  const below = (share: number, colour: string, text: string): Look => ({
    y: 44,
    height: 10,
    fill: faint(colour, share),
    text
  })
  const beside = (colour: string, share: number, text: string): Look => ({
    y: 5,
    height: 18,
    fill: faint(colour, share),
    text
  })
  const led = (span: Span): Look => ({ y: 5, height: 20, fill: theme.hue(span.of, 45), text: span.text, ink: "#fff" })
  return {
    dead: () => ({ y: 40, height: 1.5, fill: theme.dotted(colours.alive) }),
    alive: () => ({ y: 39, height: 3, fill: colours.alive }),
    believes: (span) => ({ y: 14, height: 15, fill: theme.hue(span.of, 60, 0.28) }),
    works: (span) => ({ y: 29, height: 8, fill: theme.hue(span.of, 45) }),
    finalizes: (span) => ({ y: 29, height: 8, fill: theme.striped(theme.hue(span.of, 38), theme.hue(span.of, 70)) }),
    freeze: () => inProcess(theme.striped(colours.night, faint(colours.night, 20)), "frozen"),
    stall: () => inProcess(theme.striped(colours.night, faint(colours.night, 20)), "stalled"),
    suspend: () => inProcess(theme.striped(colours.sleep, faint(colours.sleep, 20)), "suspended"),
    partition: () => below(55, colours.trouble, "cut off"),
    fade: () => below(30, colours.trouble, "slow, then cut off"),
    duplicate: () => below(30, colours.soft, "a double of another's id"),
    leads: led,
    nobody: () => ({ y: 11, height: 8, fill: theme.striped(colours.alive) }),
    overlap: () => ({ y: 1, height: 28, fill: colours.bad, text: "two at once", ink: "#fff" }),
    tenure: led,
    vacant: () => ({ y: 5, height: 20, fill: theme.striped(colours.line), text: "vacant" }),
    storm: () => beside(colours.soft, 35, "storm"),
    outage: () => beside(colours.trouble, 60, "outage"),
    recovery: () => beside(colours.trouble, 60, "recovery"),
    disable: () => beside(colours.soft, 40, "disabled"),
    garbage: () => beside(colours.trouble, 45, "garbage")
  }
}

/** A span of a kind that this page does not know. */
export const plainLook = (theme: Theme, { kind }: Span): Look => ({
  y: 5,
  height: 18,
  fill: faint(theme.colours.soft, 30),
  text: kind
})

/** How a mark is drawn: at `x` in the lane at `y`, `scale` being how high the lane is. */
export interface MarkLook {
  readonly draw: (brush: CanvasRenderingContext2D, x: number, y: number, mark: Mark, scale: number) => void
  /** It has a text, where there is room. */
  readonly text?: true
  /** It is drawn only where so many seconds or less are shown. */
  readonly near?: number
  /** So is its text. */
  readonly textNear?: number
}

export type MarkLooks = { readonly [kind: string]: MarkLook }

const dot = (brush: CanvasRenderingContext2D, x: number, y: number, radius: number, fill: string): void => {
  brush.fillStyle = fill
  brush.beginPath()
  brush.arc(x, y, radius, 0, 7)
  brush.fill()
}

export const bar = (
  brush: CanvasRenderingContext2D,
  x: number,
  y: number,
  width: number,
  height: number,
  fill: string
): void => {
  brush.fillStyle = fill
  brush.fillRect(x - width / 2, y, width, height)
}

export const shape = (
  brush: CanvasRenderingContext2D,
  fill: string,
  points: ReadonlyArray<readonly [number, number]>
): void => {
  brush.fillStyle = fill
  brush.beginPath()
  for (const [x, y] of points) brush.lineTo(x, y)
  brush.fill()
}

/** Those that matter least come first: where there is no room for all texts, the last ones are told. */
export const markLooks = (theme: Theme): MarkLooks => {
  const { colours } = theme
  const troubleDot = (radius: number): MarkLook["draw"] => (brush, x, y, _, s) =>
    dot(brush, x, y + 49 * s, radius, colours.trouble)
  return {
    step: { draw: (brush, x, y, { of }, s) => bar(brush, x, y + 29 * s, 1, 8 * s, theme.hue(of, 80, 0.9)), near: 120 },
    fault: { draw: troubleDot(1.5), text: true, near: 20 },
    retried: { draw: troubleDot(2) },
    "renewal-failed": { draw: troubleDot(2.5), text: true, textNear: 30 },
    conflict: { draw: troubleDot(1.5), text: true, near: 20 },
    renewed: { draw: (brush, x, y, { of }, s) => bar(brush, x, y + 11 * s, 1, 5 * s, theme.hue(of, 35)), near: 200 },
    registered: { draw: (brush, x, y, _, s) => dot(brush, x, y + 40.5 * s, 3, colours.soft), text: true, textNear: 60 },
    clock: { draw: (brush, x, y, _, s) => dot(brush, x, y + 40.5 * s, 2, colours.sleep) },
    prioritizes: {
      draw: (brush, x, y, _, s) => dot(brush, x, y + 40.5 * s, 2.5, colours.ink),
      text: true,
      textNear: 120
    },
    challenged: {
      draw: (brush, x, y, { of }, s) =>
        shape(brush, theme.hue(of, 45), [[x, y + 33 * s], [x - 4, y + 39 * s], [x + 4, y + 39 * s]]),
      text: true,
      textNear: 120
    },
    stops: {
      draw: (brush, x, y, _, s) => bar(brush, x, y + 35 * s, 2, 11 * s, colours.soft),
      text: true,
      textNear: 120
    },
    exits: {
      draw: (brush, x, y, _, s) => bar(brush, x, y + 33 * s, 2, 15 * s, colours.ink),
      text: true,
      textNear: 120
    },
    resigned: { draw: (brush, x, y, { of }, s) => bar(brush, x, y + 29 * s, 2, 14 * s, theme.hue(of, 30)), near: 60 },
    lost: {
      draw: (brush, x, y, { of }, s) => bar(brush, x, y + 12 * s, 2, 27 * s, theme.hue(of, theme.isDark ? 70 : 25)),
      text: true
    },
    overrun: { draw: (brush, x, y, _, s) => bar(brush, x, y + 10 * s, 2, 30 * s, colours.trouble), text: true },
    crashes: {
      draw: (brush, x, y, _, s) => {
        const middle = y + 40.5 * s
        brush.strokeStyle = colours.ink
        brush.lineWidth = 2
        brush.beginPath()
        brush.moveTo(x - 5, middle - 5)
        brush.lineTo(x + 5, middle + 5)
        brush.moveTo(x + 5, middle - 5)
        brush.lineTo(x - 5, middle + 5)
        brush.stroke()
      },
      text: true
    },
    elected: {
      draw: (brush, x, y, { of }, s) =>
        shape(brush, theme.ink(of), [[x, y + 11 * s + 8], [x - 5, y + 11 * s], [x + 5, y + 11 * s]]),
      text: true
    },
    renew: {
      draw: (brush, x, y, { of }) => bar(brush, x, y + 27, 1, 7, theme.hue(of, 45)),
      text: true,
      near: 240,
      textNear: 25
    },
    commit: { draw: (brush, x, y) => bar(brush, x, y + 27, 1.5, 11, colours.ink), text: true },
    illegal: { draw: (brush, x, y) => bar(brush, x, y + 2, 4, 46, colours.bad), text: true },
    act: {
      draw: (brush, x, y) => shape(brush, colours.ink, [[x, y + 7], [x + 5, y + 14], [x, y + 21], [x - 5, y + 14]]),
      text: true
    }
  }
}
