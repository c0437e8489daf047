/** What was promised, held against what was reported. */
import type { Testimony } from "./troupe.ts"

/** A tenure, as its leader reported it. All times on the host's monotonic clock, in nanoseconds. */
export interface Tenure {
  readonly term: bigint
  readonly leader: string
  readonly electedAt: bigint
  readonly workedAt: bigint | undefined
  /** When its leader stopped to believe in itself: when it knew, or when its last renewal ran out. */
  readonly believedUntil: bigint
  /** For how long leaders of earlier terms went on to begin steps when this one's work had begun. */
  readonly overlapMillis: number
}

/** What became of the promises. */
export interface Verdict {
  readonly tenures: ReadonlyArray<Tenure>
  /** Pairs of tenures in which both leaders believed in themselves at once, or worked. */
  readonly overlaps: number
  /** Steps of work that were made when a later tenure's work had begun. */
  readonly lateSteps: number
  /** Guarded writes that were let through after the tenure was lost. */
  readonly lateWrites: number
  readonly refusedWrites: number
  readonly termsStrictlyIncreasing: boolean
}

const isOf = (term: bigint) => (testimony: Testimony): boolean => "term" in testimony && testimony.term === term

const toTenure = (testimonies: ReadonlyArray<Testimony>, elected: Testimony & { readonly kind: "elected" }): Tenure => {
  const own = testimonies.filter((testimony) => testimony.who === elected.who && isOf(elected.term)(testimony))
  const until = own.reduce((latest, one) => "until" in one && one.until > latest ? one.until : latest, elected.until)
  const lost = own.find(({ kind }) => kind === "lost")
  const workedAt = own.find(({ kind }) => kind === "work")?.at
  const lastStep = testimonies.reduce(
    (latest, one) => one.kind === "step" && one.term < elected.term && one.at > latest ? one.at : latest,
    workedAt ?? 0n
  )
  return {
    term: elected.term,
    leader: elected.who,
    electedAt: elected.at,
    workedAt,
    believedUntil: lost !== undefined && lost.at < until ? lost.at : until,
    overlapMillis: workedAt === undefined ? 0 : Math.ceil(Number(lastStep - workedAt) / 1e6)
  }
}

/** Judges by the reports alone. */
export const judge = (testimonies: ReadonlyArray<Testimony>): Verdict => {
  const tenures = testimonies.flatMap((one) => one.kind === "elected" ? [toTenure(testimonies, one)] : [])
    .toSorted((a, b) => a.electedAt < b.electedAt ? -1 : 1)
  const pairs = tenures.flatMap((later, i) => tenures.slice(0, i).map((earlier) => ({ earlier, later })))
  const stepsAfter = ({ earlier, later }: { earlier: Tenure; later: Tenure }): number =>
    later.workedAt === undefined ?
      0 :
      testimonies.filter((one) => one.kind === "step" && one.term === earlier.term && one.at >= later.workedAt!).length
  const late = testimonies.filter((one) => one.kind === "late write")
  return {
    tenures,
    overlaps: pairs.filter((pair) => pair.later.electedAt < pair.earlier.believedUntil || stepsAfter(pair) > 0).length,
    lateSteps: pairs.reduce((sum, pair) => sum + stepsAfter(pair), 0),
    lateWrites: late.filter(({ refused }) => !refused).length,
    refusedWrites: late.filter(({ refused }) => refused).length,
    termsStrictlyIncreasing: tenures.every((tenure, i) => i === 0 || tenure.term > tenures[i - 1]!.term)
  }
}
