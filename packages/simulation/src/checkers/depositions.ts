/** Leaders that are well are deposed by those only who can lead, and ever more seldom by those who have failed. */
import type { Checker, Violation } from "../Checker.ts"
import type { Entry } from "../internal/ledger.ts"
import { second } from "../World.ts"

/** A tenure, by the commits that have begun and ended it. */
interface Tenure {
  readonly term: bigint
  readonly id: string
  readonly from: number
  /** Won by preemption. */
  readonly preempts: boolean
  readonly lease: number
  to: number
  /** Ended by its leader itself, or by its silence. */
  ownEnd: boolean
}

/** A wait is jittered by a fifth, and measured by clocks that are fast by at most a twenty-fifth. */
const least = 0.8 / 1.04

/** Follows the tenures, commit by commit. */
class Tenures {
  readonly all: Array<Tenure> = []

  add({ after, before, commit }: Entry): void {
    const { leader, lease } = after
    if (leader === before.leader || typeof leader !== "object" || typeof before.leader !== "object") return
    const last = this.all.at(-1)
    const was = before.leader
    if (last !== undefined && last.to === Number.POSITIVE_INFINITY && was.held && last.term === was.term) {
      const reason = after.history.get(was.term)
      last.to = commit.at
      last.ownEnd = typeof reason === "object" && (reason.reason === "resigned" || reason.reason === "expired")
    }
    if (!leader.held || leader.term === (was.held ? was.term : -1n) || typeof lease !== "object") return
    const ended = before.history.get(was.term)
    this.all.push({
      term: leader.term,
      id: leader.who.id,
      from: commit.at,
      preempts: !was.held && typeof ended === "object" && ended.reason === "preempted",
      lease: Number(lease.duration),
      to: Number.POSITIVE_INFINITY,
      ownEnd: false
    })
  }

  /** How many preemptions in a row have certainly failed, before the tenure that stands. */
  failed(id: string): number {
    let failed = 0
    // A tenure that may be taken to have lasted ends the row.
    for (const tenure of this.all.toReversed()) {
      const lasted = tenure.to - tenure.from
      if (lasted > 0.5 * tenure.lease && (tenure.preempts || tenure.id === id)) return failed
      if (tenure.preempts && tenure.ownEnd && lasted < 0.5 * tenure.lease) failed++
    }
    return failed
  }
}

export const checker: Checker = {
  name: "depositions",
  promise:
    "whoever challenges can lead, and waits for a lease after a preemption that failed, doubled with each in a row",
  check: ({ ledger, machines }) => {
    const violations: Array<Violation> = []
    const tenures = new Tenures()
    /** The shortest lease that was configured while the tenure that stands has stood. */
    let shortest = Number.POSITIVE_INFINITY
    for (const entry of ledger) {
      const { after, before, commit, written } = entry
      const known = tenures.all.length
      tenures.add(entry)
      if (typeof before.config === "object") {
        const configured = Number(before.config.lease)
        shortest = tenures.all.length > known ? configured : Math.min(shortest, configured)
      }
      const life = machines.get(commit.by)
      const standing = tenures.all.at(-1)
      if (life === undefined || standing === undefined || !written.has("challenge")) continue
      if (typeof after.challenge !== "object" || before.challenge === after.challenge) continue
      if (typeof before.config !== "object" || after.challenge.challenger === undefined) continue
      const fail = (message: string) =>
        violations.push({ checker: "depositions", at: commit.at, who: life.name, message: `${life.name} ${message}` })
      const lease = Number(before.config.lease)
      if (life.margin !== undefined && life.margin >= lease) {
        fail("challenges, though its margin does not fit the lease")
      }
      const failed = Math.min(7, tenures.failed(after.challenge.challenger.id))
      const wait = failed === 0 ? 0 : shortest * 2 ** (failed - 1) * least
      const waited = commit.at - standing.from
      if (waited < wait) {
        fail(`challenges after ${(waited / second).toFixed(1)} s, though ${failed} preemptions in a row have failed`)
      }
    }
    return violations
  }
}
