/** What follows from each reason for which a tenure ends. A new reason needs a row. */
import type { LossReason } from "../../LossReason.ts"

interface Traits {
  /** Whether a renewal is refused for it. */
  readonly isRefusal: boolean
  /** How the leader ends the tenure in the database. `none`: another tenure has begun for certain. `fast`: in one round trip. */
  readonly vacancy: "none" | "full" | "fast"
  /** Whether its candidate lets others claim first. */
  readonly yields: boolean
}

export const lossTraits = {
  resigned: { isRefusal: false, vacancy: "fast", yields: true },
  expired: { isRefusal: false, vacancy: "full", yields: false },
  "clock-jumped": { isRefusal: false, vacancy: "full", yields: false },
  replaced: { isRefusal: true, vacancy: "none", yields: false },
  preempted: { isRefusal: true, vacancy: "full", yields: false },
  "stepped-down": { isRefusal: true, vacancy: "full", yields: true },
  superseded: { isRefusal: true, vacancy: "full", yields: false },
  evicted: { isRefusal: true, vacancy: "full", yields: false },
  disabled: { isRefusal: true, vacancy: "full", yields: false },
  broken: { isRefusal: false, vacancy: "full", yields: false }
} as const satisfies { readonly [Reason in LossReason]: Traits }

/** The reasons for which a renewal is refused. */
export type Refusal = {
  [Reason in LossReason]: (typeof lossTraits)[Reason]["isRefusal"] extends true ? Reason : never
}[LossReason]
