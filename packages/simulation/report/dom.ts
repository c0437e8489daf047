/** The elements of the page. */

export const byId = <E extends HTMLElement = HTMLElement>(id: string): E => {
  const element = document.getElementById(id)
  if (element === null) throw new Error(`the page has no element "${id}"`)
  return element as E
}

export const make = <Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Partial<HTMLElementTagNameMap[Tag]>,
  ...children: ReadonlyArray<Node | string>
): HTMLElementTagNameMap[Tag] => {
  const element = Object.assign(document.createElement(tag), properties)
  element.append(...children)
  return element
}

/** A canvas with the coordinates of the page, at the resolution of the screen. */
export class Surface {
  readonly canvas: HTMLCanvasElement
  readonly brush: Brush

  constructor(canvas: HTMLCanvasElement) {
    this.canvas = canvas
    this.brush = brushOf(canvas)
  }

  get width(): number {
    return this.canvas.clientWidth
  }

  get height(): number {
    return this.canvas.clientHeight
  }

  /** Takes the size of its element, and clears it. */
  clear(): void {
    const { brush, canvas } = this
    const ratio = devicePixelRatio || 1
    const width = Math.round(this.width * ratio)
    const height = Math.round(this.height * ratio)
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width
      canvas.height = height
    }
    brush.setTransform(ratio, 0, 0, ratio, 0, 0)
    brush.clearRect(0, 0, this.width, this.height)
    brush.textBaseline = "middle"
  }
}

export type Brush = CanvasRenderingContext2D

export const brushOf = (canvas: HTMLCanvasElement): Brush => {
  const brush = canvas.getContext("2d")
  if (brush === null) throw new Error("the browser cannot draw")
  return brush
}

/** The canvas within an element. */
export const surfaceIn = (id: string): Surface => new Surface(byId(id).querySelector("canvas")!)

export const font = (size: number, weight = 400): string => `${weight} ${size}px system-ui, sans-serif`
