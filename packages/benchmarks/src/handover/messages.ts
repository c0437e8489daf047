/** What the processes of the handover benchmark tell each other. Times are milliseconds of the host's monotonic clock. */

/** From a candidate. None is sent while a handover is under way: it would take time from what is measured. */
export type Report =
  /** It is back; `resigned` is when it was last asked to resign, and began to. */
  | { readonly kind: "campaigns"; readonly resigned: number | undefined }
  /** The work of a tenure has begun. */
  | { readonly kind: "works"; readonly at: number }

/** To a candidate: to resign, and to campaign again after so many milliseconds. */
export interface Order {
  readonly resign: { readonly backAfter: number }
}
