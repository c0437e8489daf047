/** What the processes of the handover benchmark tell each other. Times are milliseconds of the host's monotonic clock. */

/** From a candidate. */
export type Report =
  | { readonly kind: "campaigns" }
  /** The work of a tenure has begun. */
  | { readonly kind: "works"; readonly at: number }
  /** It has been asked to resign, and begins to. */
  | { readonly kind: "resigns"; readonly at: number }

/** To a candidate: to resign, and to campaign again after so many milliseconds. */
export interface Order {
  readonly resign: { readonly backAfter: number }
}
