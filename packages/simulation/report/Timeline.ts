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

interface Layout {
  readonly data: ReportData
  readonly lanes: ReadonlyArray<PlacedLane>
  readonly height: number
  /** The lanes of processes are narrow, by this factor. */
  readonly isCrowded: boolean
  readonly scale: number
}

const layOut = (data: ReportData): Layout => {
  const processes = data.lanes.filter(({ kind }) => kind === "process").length
  const isCrowded = processes > 8
  const process = processes > 14 ? 27 : isCrowded ? 38 : 56
  const heights = { leader: 30, database: 62, process, simulation: 28, operator: 28 }
  const labelOf = ({ label = "", line }: Mark) => line === undefined ? label : data.log[line]!.slice(1).join(" ")
  let bottom = 0
  const lanes = data.lanes.map((lane) => {
    const height = heights[lane.kind]
    bottom += height
    const marks = lane.marks.map((mark) => ({ ...mark, label: labelOf(mark) }))
    return { ...lane, y: bottom - height, height, marks }
  })
  return { data, lanes, height: bottom, isCrowded, scale: isCrowded ? process / 56 : 1 }
}

export class Timeline {
  private layout: Layout
  from = 0
  to: number
  private readonly width: () => number
  private readonly moved: () => void

  /** `width` is that of the canvas. `moved` is called when the visible part changes. */
  constructor(data: ReportData, width: () => number, moved: () => void) {
    this.layout = layOut(data)
    this.width = width
    this.moved = moved
    this.to = data.duration
  }

  /** Shows other data, in the same part of the time. */
  replace(data: ReportData): void {
    this.layout = layOut(data)
  }

  get data(): ReportData {
    return this.layout.data
  }

  get lanes(): ReadonlyArray<PlacedLane> {
    return this.layout.lanes
  }

  get height(): number {
    return this.layout.height
  }

  get isCrowded(): boolean {
    return this.layout.isCrowded
  }

  get scale(): number {
    return this.layout.scale
  }

  /** The time of day at second zero, in seconds; 0 where the time is simulated. */
  get secondsOfDay(): number {
    const { epoch } = this.data
    if (epoch === undefined) return 0
    return (epoch - new Date(epoch).setHours(0, 0, 0, 0)) / 1000
  }

  /** An instant as text: seconds of the simulated time, or the time of day. */
  timeText(at: number, digits: number): string {
    const { epoch } = this.data
    if (epoch === undefined) return `${at.toFixed(digits)} s`
    const time = new Date(epoch + at * 1000)
    const fraction = digits === 0 ? "" : `.${String(time.getMilliseconds()).padStart(3, "0").slice(0, digits)}`
    return time.toLocaleTimeString("en-GB") + fraction
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
