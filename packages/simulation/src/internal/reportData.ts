/** The data of a report page, which contains them as JSON. Times are seconds of simulated time. */

/** A period in a lane. */
export interface Span {
  readonly kind: string
  readonly from: number
  readonly to: number
  /** The place of the process whose colour it has. */
  readonly of?: number | undefined
  /** Its text in the tooltip. */
  readonly label: string
  /** Its text in the lane. */
  readonly text?: string | undefined
}

/** An instant in a lane. */
export interface Mark {
  readonly kind: string
  readonly at: number
  readonly of?: number | undefined
  readonly text?: string | undefined
  /** Its text in the tooltip: the event at this index of the log, or `label`. */
  readonly line?: number | undefined
  readonly label?: string | undefined
}

/** The period from one confirmation of a leader's lease to the next. */
export interface Lease {
  readonly from: number
  readonly to: number
  readonly deadline: number
  /** Its duration at the confirmation. */
  readonly full: number
  readonly of: number
}

export interface Lane {
  readonly name: string
  readonly kind: "leader" | "database" | "process" | "simulation" | "operator"
  readonly place?: number | undefined
  readonly spans: ReadonlyArray<Span>
  readonly marks: ReadonlyArray<Mark>
  readonly leases?: ReadonlyArray<Lease> | undefined
}

export interface Violation {
  readonly at: number
  readonly checker: string
  readonly message: string
  readonly lane?: string | undefined
}

/** When, who, what, and the rest. */
export type LogEntry = readonly [at: number, who: string, what: string, rest: string]

export interface ReportData {
  readonly title: string
  readonly summary: string
  readonly duration: number
  /** The time of day at second zero, in milliseconds since the epoch, if the time is not simulated. */
  readonly epoch?: number | undefined
  /** From this time on there are no faults. */
  readonly quietAt: number
  readonly lanes: ReadonlyArray<Lane>
  /** The guarantee of each checker. */
  readonly promises: { readonly [checker: string]: string }
  readonly violations: ReadonlyArray<Violation>
  readonly log: ReadonlyArray<LogEntry>
}
