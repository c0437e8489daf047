/** The positions of the lanes, and the visible part of the time. */
import type { Lane, Mark, ReportData } from "../src/internal/reportData.ts"

/** The width of the lanes' names. */
export const gutter = 96

/** The shortest visible part, in seconds. */
const shortest = 0.002

export interface PlacedMark extends Mark {
  readonly label: string
}

export interface PlacedLane extends Lane {
  readonly y: number
  readonly height: number
  readonly marks: ReadonlyArray<PlacedMark>
}

export class Timeline {
  readonly data: ReportData
  readonly lanes: ReadonlyArray<PlacedLane>
  readonly height: number
  /** The lanes of processes are narrow, by this factor. */
  readonly isCrowded: boolean
  readonly scale: number
  from = 0
  to: number
  private readonly width: () => number
  private readonly moved: () => void

  /** `width` is that of the canvas. `moved` is called when the visible part changes. */
  constructor(data: ReportData, width: () => number, moved: () => void) {
    this.data = data
    this.width = width
    this.moved = moved
    this.to = data.duration
    const processes = data.lanes.filter(({ kind }) => kind === "process").length
    this.isCrowded = processes > 8
    const process = processes > 14 ? 27 : this.isCrowded ? 38 : 56
    this.scale = this.isCrowded ? process / 56 : 1
    const heights = { leader: 30, database: 62, process, simulation: 28, operator: 28 }
    const labelOf = ({ label = "", line }: Mark) => line === undefined ? label : data.log[line]!.slice(1).join(" ")
    let bottom = 0
    this.lanes = data.lanes.map((lane) => {
      const height = heights[lane.kind]
      bottom += height
      const marks = lane.marks.map((mark) => ({ ...mark, label: labelOf(mark) }))
      return { ...lane, y: bottom - height, height, marks }
    })
    this.height = bottom
  }

  /** The duration of the visible part, in seconds. */
  get span(): number {
    return this.to - this.from
  }

  get middle(): number {
    return (this.from + this.to) / 2
  }

  /** The seconds that a number of pixels shows. */
  secondsOf(pixels: number): number {
    return pixels / (this.width() - gutter) * this.span
  }

  x(at: number): number {
    return gutter + (at - this.from) / this.span * (this.width() - gutter)
  }

  timeAt(x: number): number {
    return this.from + this.secondsOf(x - gutter)
  }

  laneAt(y: number): PlacedLane | undefined {
    return this.lanes.find((lane) => y >= lane.y && y < lane.y + lane.height)
  }

  show(from: number, to: number): void {
    const span = Math.min(this.data.duration, Math.max(shortest, to - from))
    this.from = Math.min(Math.max(0, from), this.data.duration - span)
    this.to = this.from + span
    this.moved()
  }

  showAll(): void {
    this.show(0, this.data.duration)
  }

  move(seconds: number): void {
    this.show(this.from + seconds, this.to + seconds)
  }

  zoom(factor: number, around: number): void {
    this.show(around - (around - this.from) * factor, around + (this.to - around) * factor)
  }

  /** Centres an instant, and shows at most `span` seconds. */
  visit(at: number, span: number): void {
    const wide = Math.min(this.span, span)
    this.show(at - wide / 2, at + wide / 2)
  }
}
