/** The colours of the page, light or dark. Red and amber are for faults, not for processes. */
import { type Brush, brushOf, make } from "./dom.ts"

const names = ["ink", "soft", "line", "lane", "panel", "alive", "trouble", "night", "sleep", "good", "bad"] as const

type Colours = { readonly [name in (typeof names)[number]]: string }

export type Fill = string | CanvasPattern

const hues = [212, 150, 268, 188, 312, 95, 238, 128, 200]

export const faint = (colour: string, share: number): string => `color-mix(in srgb, ${colour} ${share}%, transparent)`

export class Theme {
  private readonly preference = matchMedia("(prefers-color-scheme: dark)")
  private readonly patterns = new Map<string, CanvasPattern>()
  colours = read()

  get isDark(): boolean {
    return this.preference.matches
  }

  /** Calls `changed` when the page turns light or dark. */
  onChange(changed: () => void): void {
    this.preference.addEventListener("change", () => {
      this.colours = read()
      changed()
    })
  }

  /** The colour of a process by its place; grey without one. */
  hue(place: number | undefined, light: number, alpha = 1): string {
    if (place === undefined) return this.colours.soft
    const saturation = place < hues.length ? 62 : 30
    return `hsl(${hues[place % hues.length]} ${saturation}% ${light + (this.isDark ? 9 : 0)}% / ${alpha})`
  }

  /** The same, for text. */
  ink(place: number | undefined): string {
    return this.hue(place, this.isDark ? 63 : 34)
  }

  striped(colour: string, ground?: string): CanvasPattern {
    return this.pattern(`striped ${colour} ${ground}`, 8, 8, (brush) => {
      if (ground !== undefined) {
        brush.fillStyle = ground
        brush.fillRect(0, 0, 8, 8)
      }
      brush.strokeStyle = colour
      brush.lineWidth = 2
      for (const offset of [-8, 0, 8]) {
        brush.beginPath()
        brush.moveTo(offset, 8)
        brush.lineTo(offset + 8, 0)
        brush.stroke()
      }
    })
  }

  dotted(colour: string): CanvasPattern {
    return this.pattern(`dotted ${colour}`, 8, 2, (brush) => {
      brush.fillStyle = colour
      brush.fillRect(0, 0, 2, 2)
    })
  }

  private pattern(name: string, width: number, height: number, paint: (brush: Brush) => void): CanvasPattern {
    const known = this.patterns.get(name)
    if (known !== undefined) return known
    const tile = make("canvas", { width, height })
    const brush = brushOf(tile)
    paint(brush)
    const pattern = brush.createPattern(tile, "repeat")!
    this.patterns.set(name, pattern)
    return pattern
  }
}

const read = (): Colours => {
  const style = getComputedStyle(document.documentElement)
  return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()])) as Colours
}
