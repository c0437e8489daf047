/** Judges the reports by what was promised. */
import type { CandidateReport } from "./Processes.ts"

/** A tenure, as its leader reported it. All times on the host's monotonic clock, in nanoseconds. */
export interface Tenure {
  readonly term: bigint
  readonly leader: string
  readonly electedAt: bigint
  readonly workedAt: bigint | undefined
  /** When its leader's belief ended: when it knew of the loss, or when its last renewal ran out. */
  readonly believedUntil: bigint
  /** For how long leaders of earlier terms still began steps after this one's work had begun. */
  readonly overlapMillis: number
}

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

const isOf = (term: bigint) => (report: CandidateReport): boolean => "term" in report && report.term === term

const toTenure = (
  reports: ReadonlyArray<CandidateReport>,
  elected: CandidateReport & { readonly kind: "elected" }
): Tenure => {
  const own = reports.filter((report) => report.who === elected.who && isOf(elected.term)(report))
  const until = own.reduce((latest, one) => "until" in one && one.until > latest ? one.until : latest, elected.until)
  const lost = own.find(({ kind }) => kind === "lost")
  const workedAt = own.find(({ kind }) => kind === "work")?.at
  const lastStep = reports.reduce(
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

export const judge = (reports: ReadonlyArray<CandidateReport>): Verdict => {
  const tenures = reports.flatMap((one) => one.kind === "elected" ? [toTenure(reports, one)] : [])
    .toSorted((a, b) => a.electedAt < b.electedAt ? -1 : 1)
  const pairs = tenures.flatMap((later, i) => tenures.slice(0, i).map((earlier) => ({ earlier, later })))
  const stepsAfter = ({ earlier, later }: { earlier: Tenure; later: Tenure }): number =>
    later.workedAt === undefined ?
      0 :
      reports.filter((one) => one.kind === "step" && one.term === earlier.term && one.at >= later.workedAt!).length
  const late = reports.filter((one) => one.kind === "late write")
  return {
    tenures,
    overlaps: pairs.filter((pair) => pair.later.electedAt < pair.earlier.believedUntil || stepsAfter(pair) > 0).length,
    lateSteps: pairs.reduce((sum, pair) => sum + stepsAfter(pair), 0),
    lateWrites: late.filter(({ refused }) => !refused).length,
    refusedWrites: late.filter(({ refused }) => refused).length,
    termsStrictlyIncreasing: tenures.every((tenure, i) => i === 0 || tenure.term > tenures[i - 1]!.term)
  }
}
