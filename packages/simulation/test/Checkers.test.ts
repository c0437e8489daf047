import { Bytes, Tuple } from "@effect-fdb/core"
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Checkers from "../src/Checkers.ts"
import { second } from "../src/EventScheduler.ts"
import type { History } from "../src/History.ts"
import { only } from "../src/internal/elections.ts"
import { quiet, tampered, withEvents } from "./history.ts"

const noticedBy = (history: History): ReadonlyArray<string> => [
  ...new Set(Checkers.check(history).map(({ checker }) => checker))
]

const find = (history: History, what: string) => {
  const event = history.events.find((event) => event.what === what)
  assert.isDefined(event, `the history has no event "${what}"`)
  return event
}

const isOf = (commit: History["record"][number], key: Uint8Array): boolean =>
  commit.mutations.some((mutation) => mutation._tag === "Set" && Bytes.equals(mutation.key, key))

const leaderKey = only.subspace.pack(["leader"])
const leaseKey = only.subspace.pack(["lease"])

describe("checkers are silent on a history in which nothing is wrong", () => {
  it("with every checker", () => {
    assert.deepStrictEqual(noticedBy(tampered(() => ({}))), [])
  })
})

describe("each checker notices", () => {
  it("beliefs: a second leader while the first believes in itself", () => {
    const history = tampered((history) => {
      const elected = find(history, "elected")
      const other = history.events.find(({ what, who }) => what === "starts" && who !== elected.who)!
      const clock = history.events.find(({ what, who }) => what === "clock" && who === other.who)!
      const at = other.at + second
      const until = Number(clock.details["monotonic"]) + 9 * second
      return {
        events: withEvents(history, {
          at,
          who: other.who,
          what: "elected",
          details: { term: 1n, cause: "lapsed", until }
        })
      }
    })
    assert.include(noticedBy(history), "beliefs")
  })

  it("beliefs: a step of an old leader after the election of a new one", () => {
    const history = tampered((history) => {
      const first = find(history, "step")
      return { events: withEvents(history, { ...first, at: history.endedAt - 1 }) }
    })
    assert.include(noticedBy(history), "beliefs")
  })

  it("growth: a renewal that comes twice", () => {
    const history = tampered(({ record }) => {
      const renewal = record.findLast((commit) => isOf(commit, leaseKey) && !isOf(commit, leaderKey))!
      return { record: [...record, { ...renewal, version: renewal.version + 1_000_000n }] }
    })
    assert.deepStrictEqual(noticedBy(history), ["growth"])
  })

  it("guarded: a write of somebody who does not lead", () => {
    const history = tampered(({ record, stored }) => {
      const counts = record.filter((commit) => isOf(commit, only.counter))
      const last = counts.at(-1)!
      const value = Tuple.pack([BigInt(counts.length + 1), "p9#1", 1n, "p9#1/1/1"])
      return {
        record: [...record, {
          ...last,
          version: last.version + 1_000_000n,
          mutations: [{ _tag: "Set", key: only.counter, value }]
        }],
        stored: stored.map((pair) => Bytes.equals(pair.key, only.counter) ? { ...pair, value } : pair)
      }
    })
    assert.deepStrictEqual(noticedBy(history), ["guarded"])
  })

  it("counter: a count that was acknowledged and is not there", () => {
    const history = tampered(({ record }) => {
      const lost = record.find((commit) => isOf(commit, only.counter))
      return { record: record.filter((commit) => commit !== lost) }
    })
    assert.deepStrictEqual(noticedBy(history), ["counter"])
  })

  it("sink: the work of an old tenure after that of a new one", () => {
    const history = tampered((history) => {
      const first = find(history, "accepts")
      return { events: withEvents(history, { ...first, at: history.endedAt - 1 }) }
    })
    assert.deepStrictEqual(noticedBy(history), ["sink"])
  })

  it("replay: a value that was committed and is not stored", () => {
    const history = tampered(({ stored }) => ({ stored: stored.slice(1) }))
    assert.deepStrictEqual(noticedBy(history), ["replay"])
  })

  it("replay: a renewal by somebody else", () => {
    const history = tampered(({ record }) => ({
      record: record.map((commit) =>
        isOf(commit, leaseKey) && !isOf(commit, leaderKey) ? { ...commit, by: "p9#1" } : commit
      )
    }))
    assert.include(noticedBy(history), "replay")
  })

  it("registered: a leader that is evicted", () => {
    const history = tampered(({ record, stored }) => {
      const last = record.findLast((commit) => isOf(commit, leaderKey))!
      const written = last.mutations.find((mutation) =>
        mutation._tag === "Set" && Bytes.equals(mutation.key, leaderKey)
      )!
      const [, , leads] = Result.getOrThrow(Tuple.unpack((written as { readonly value: Uint8Array }).value))
      const key = only.subspace.pack(["candidates", leads as string])
      const end = record.at(-1)!
      return {
        record: [...record, { ...end, by: "operator", version: end.version + 1n, mutations: [{ _tag: "Clear", key }] }],
        stored: stored.filter((pair) => !Bytes.equals(pair.key, key))
      }
    })
    assert.deepStrictEqual(noticedBy(history), ["registered"])
  })

  it("deadline: a work that goes on long after its leader's last renewal", () => {
    const history = tampered((history) => {
      const term = String(find(history, "elected").details["term"])
      const mine = (details: Record<string, unknown>) => String(details["term"]) === term
      const ends = history.events.find(({ details, what }) => what === "work-ends" && mine(details))!
      return {
        events: history.events
          .map((event) =>
            mine(event.details) && event.who === ends.who && (event.what === "work-ends" || event.what === "work-ended")
              ? { ...event, at: event.at + 20 * second }
              : event
          )
          .toSorted((a, b) => a.at - b.at)
      }
    })
    assert.include(noticedBy(history), "deadline")
  })

  it("ending: a resignation before the finalizers are done", () => {
    const history = tampered((history) => {
      const ended = find(history, "work-ended")
      const later = { ...ended, at: ended.at + 0.5 * second }
      return { events: withEvents({ ...history, events: history.events.filter((event) => event !== ended) }, later) }
    })
    assert.include(noticedBy(history), "ending")
  })

  it("liveness: no leader at the end", () => {
    const history = tampered(({ events }) => ({
      events: events.filter(({ at, what }) => at < 30 * second || (what !== "renewed" && what !== "elected"))
    }))
    assert.include(noticedBy(history), "liveness")
  })

  /** No successor claims after a resignation, nor leads as it was appointed. */
  const withoutSuccessor = ({ events, record }: History) => {
    const resigned = record.findIndex((commit, index) =>
      index > 0 && commit.at > 25 * second && isOf(commit, leaderKey)
    )
    return {
      record: record.filter((commit, index) => index <= resigned || !isOf(commit, leaderKey)),
      events: events.filter(({ at, what }) => what !== "elected" || at < record[resigned]!.at)
    }
  }

  it("handover: a successor that comes a heartbeat later", () => {
    assert.include(noticedBy(tampered(withoutSuccessor)), "handover")
  })

  it("handover: but not where those who might succeed have lost their watches", () => {
    const history = tampered((history) => ({
      ...withoutSuccessor(history),
      events: withEvents(
        { ...history, events: withoutSuccessor(history).events },
        ...["p1#1", "p2#1", "p3#1"].map((who) => ({
          at: 5 * second,
          who,
          what: "fault",
          details: { kind: "lost-watch" }
        }))
      )
    }))
    assert.notInclude(noticedBy(history), "handover")
  })

  it("reasons: a leader that reports that it was replaced, though its tenure stands", () => {
    const history = tampered((history) => {
      const elected = find(history, "elected")
      const term = elected.details.term!
      return {
        events: withEvents(history, {
          at: history.events.find(({ at, what }) => at > elected.at && what === "renewed")!.at - 1,
          who: elected.who,
          what: "lost",
          details: { term, reason: "replaced" }
        })
      }
    })
    assert.include(noticedBy(history), "reasons")
  })

  /** No renewal is reported for a lease after the first; then one is. */
  const revived = (history: History) => {
    const first = find(history, "renewed")
    return history.events.filter(({ at, what, who }) =>
      who !== first.who || what !== "renewed" || at <= first.at || at > first.at + 10 * second
    )
  }

  it("deadline: a renewal that is reported when the belief was over", () => {
    assert.include(noticedBy(tampered((history) => ({ events: revived(history) }))), "deadline")
  })

  const scoped = { ...quiet, processes: quiet.processes.map((p) => ({ ...p, work: { ...p.work, scoped: true } })) }

  it("scopes: something that is held when its tenure has been ended", () => {
    const history = tampered((history) => {
      const released = find(history, "releases")
      const late = { ...released, at: released.at + 0.5 * second }
      return { events: withEvents({ ...history, events: history.events.filter((event) => event !== released) }, late) }
    }, scoped)
    assert.deepStrictEqual(noticedBy(history), ["scopes"])
  })

  it("scopes: a fiber that goes on beside the next leader", () => {
    const history = tampered((history) => {
      const forked = find(history, "forked-step")
      return { events: withEvents(history, { ...forked, at: history.endedAt - 1 }) }
    }, scoped)
    assert.deepStrictEqual(noticedBy(history), ["scopes"])
  })

  it("able: a challenge by somebody whose margin is as long as the lease", () => {
    const history = tampered(
      (history) => ({
        events: history.events.map((event) =>
          event.what === "starts" ? { ...event, details: { ...event.details, margin: 10_000 } } : event
        )
      }),
      { ...quiet, processes: quiet.processes.map((p, index) => ({ ...p, priority: index })) }
    )
    assert.include(noticedBy(history), "able")
  })

  it("replaced: a leader that goes on when its database was replaced", () => {
    const history = tampered((history) => {
      const { who } = find(history, "elected")
      return { events: withEvents(history, { at: 15 * second, who, what: "fault", details: { kind: "replace" } }) }
    })
    assert.deepStrictEqual(noticedBy(history), ["replaced"])
  })

  it("reasons: a tenure that is lost for the election was disabled, before its belief is over", () => {
    const history = tampered((history) => {
      const renewed = find(history, "renewed")
      const term = renewed.details.term!
      return {
        events: withEvents(history, {
          ...renewed,
          at: renewed.at + 1,
          what: "lost",
          details: { term, reason: "disabled" }
        })
      }
    })
    const messages = Checkers.check(history).map(({ message }) => message)
    assert.isTrue(messages.some((message) => message.includes("before its belief is over")))
  })

  it("undisturbed: a guarded write that conflicts with a renewal", () => {
    const history = tampered((history) => {
      const renewal = history.record.findLast((commit) => isOf(commit, leaseKey) && !isOf(commit, leaderKey))!
      return {
        events: withEvents(history, {
          at: renewal.at + 1,
          who: renewal.by,
          what: "conflict",
          details: { code: 1020, since: renewal.version - 1n, tag: "guarded" }
        })
      }
    })
    assert.deepStrictEqual(noticedBy(history), ["undisturbed"])
  })
})
