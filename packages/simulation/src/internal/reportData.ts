/** What the page of a report shows; it stands in the page as JSON. Times are seconds of simulated time. */

/** A stretch of a lane. */
export interface Span {
  readonly kind: string
  readonly from: number
  readonly to: number
  /** Whose colour it has: the place of a process. */
  readonly of?: number | undefined
  /** What is told of it when it is pointed at. */
  readonly label: string
  /** What stands in it. */
  readonly text?: string | undefined
}

/** An instant of a lane. */
export interface Mark {
  readonly kind: string
  readonly at: number
  readonly of?: number | undefined
  readonly text?: string | undefined
  /** The event that tells of it, by its place in the log; or what is told. */
  readonly line?: number | undefined
  readonly label?: string | undefined
}

/** From one confirmation of a leader's lease to the next: how much of it is left until its deadline. */
export interface Lease {
  readonly from: number
  readonly to: number
  readonly deadline: number
  /** How long it is when it has just been confirmed. */
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

/** See the module. */
export interface ReportData {
  readonly title: string
  readonly summary: string
  readonly duration: number
  /** From when on there are no faults. */
  readonly quietAt: number
  readonly lanes: ReadonlyArray<Lane>
  /** What each checker promises. */
  readonly promises: { readonly [checker: string]: string }
  readonly violations: ReadonlyArray<Violation>
  readonly log: ReadonlyArray<LogEntry>
}
