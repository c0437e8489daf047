/** Judges the reports by what was promised. */
import type { CandidateReport } from "./CandidateProcesses.ts"

/** A tenure, as its leader reported it. All times on the host's monotonic clock, in nanoseconds. */
const toTenure = (
  reports: ReadonlyArray<CandidateReport>,
  elected: CandidateReport & { readonly _tag: "Elected" }
) => {
  const own = reports.filter((one) => one.who === elected.who && "term" in one && one.term === elected.term)
  const until = own.reduce(
    (latest, one) => "believesUntil" in one && one.believesUntil > latest ? one.believesUntil : latest,
    elected.believesUntil
  )
  const lost = own.find(({ _tag }) => _tag === "Lost")
  // A process that has ended believes in nothing.
  const killed = reports.find((one) => one._tag === "Killed" && one.who === elected.who && one.at > elected.at)
  const ends = [until, lost?.at ?? until, killed?.at ?? until]
  const workedAt = own.find(({ _tag }) => _tag === "Work")?.at
  const late = reports.filter((one) => one._tag === "Step" && one.term < elected.term && one.at > (workedAt ?? one.at))
  const lastStep = late.reduce((latest, { at }) => at > latest ? at : latest, workedAt ?? 0n)
  return {
    term: elected.term,
    leader: elected.who,
    electedAt: elected.at,
    workedAt,
    /** When its leader's belief ended: when it knew of the loss, when its last renewal ran out, or when it was killed. */
    believedUntil: ends.reduce((a, b) => a < b ? a : b),
    /** For how long leaders of earlier terms still began steps after this one's work had begun. */
    overlapMillis: Math.ceil(Number(lastStep - (workedAt ?? 0n)) / 1e6)
  }
}

export const judge = (reports: ReadonlyArray<CandidateReport>) => {
  const tenures = reports.flatMap((one) => one._tag === "Elected" ? [toTenure(reports, one)] : [])
    .toSorted((a, b) => a.electedAt < b.electedAt ? -1 : 1)
  const pairs = tenures.flatMap((later, i) => tenures.slice(0, i).map((earlier) => ({ earlier, later })))
  const stepsAfter = ({ earlier, later }: (typeof pairs)[number]): number =>
    reports.filter((one) =>
      one._tag === "Step" && one.term === earlier.term && later.workedAt !== undefined && one.at >= later.workedAt
    ).length
  const writes = reports.filter((one) => one._tag === "LateWrite")
  return {
    tenures,
    /** Pairs of tenures in which both leaders believed in themselves at once, or worked. */
    overlaps: pairs.filter((pair) => pair.later.electedAt < pair.earlier.believedUntil || stepsAfter(pair) > 0).length,
    /** Steps of work that were made when a later tenure's work had begun. */
    lateSteps: pairs.reduce((sum, pair) => sum + stepsAfter(pair), 0),
    /** Guarded writes that were let through after the tenure was lost. */
    lateWrites: writes.filter(({ refused }) => !refused).length,
    refusedWrites: writes.filter(({ refused }) => refused).length,
    termsStrictlyIncreasing: tenures.every((tenure, i) => i === 0 || tenure.term > tenures[i - 1]!.term)
  }
}
