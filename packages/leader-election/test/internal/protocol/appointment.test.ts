import { Versionstamp } from "@effect-fdb/core"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import {
  appointmentLease,
  believesUntil,
  blank,
  inOrder,
  isAppointment,
  line,
  mayAdopt,
  rememberLook,
  toCall
} from "../../../src/internal/protocol/protocol.ts"
import type { Nominee } from "../../../src/internal/protocol/protocol.ts"
import type { LeaderRecord, View } from "../../../src/internal/protocol/records.ts"

const registration = (n: number) => Versionstamp.make(new Uint8Array(10).fill(n), 0)

const heartbeat = 3_000_000_000n
const now = 1_000_000_000_000n

const nominee = (n: number, priority: number, age: bigint): Nominee => ({
  id: `candidate-${99 - n}`,
  registration: registration(n),
  priority,
  lastHeartbeat: now - age
})

const leader = { id: "candidate-99", registration: registration(0) }

const Candidate = Schema.Struct({
  priority: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2 })),
  /** In tenths of a heartbeat. */
  age: Schema.Int.check(Schema.isBetween({ minimum: -30, maximum: 40 }))
})
const Candidates = Schema.Array(Candidate)

const nomineesOf = (candidates: typeof Candidates.Type): ReadonlyArray<Nominee> =>
  candidates.slice(0, 50).map(({ age, priority }, i) => nominee(i, priority, BigInt(age) * heartbeat / 10n))

const lineOf = (nominees: ReadonlyArray<Nominee>) => line(inOrder(nominees, leader), now, heartbeat)

const held = (term: bigint, appointed: boolean): LeaderRecord => ({
  _tag: "Held",
  term,
  priority: 0,
  id: "me",
  registration: registration(1),
  ...(appointed ? { appointedBy: leader } : {})
})

const viewOf = (leader: LeaderRecord, ballot: bigint): View => ({
  enabled: true,
  allowPreemption: true,
  leaseDuration: 10n,
  leader,
  lease: { ballot, duration: 10n, expiry: 0n },
  challenge: undefined,
  candidate: undefined
})

describe("the line", () => {
  it.prop(
    "has whoever shows itself, but for the leader: by priority, and of equals by registration",
    [Candidates],
    ([candidates]) => {
      const nominees = nomineesOf(candidates)
      const inLine = lineOf(nominees)
      for (const [i, one] of inLine.entries()) {
        const before = inLine[i - 1]
        assert.notStrictEqual(one.id, leader.id)
        if (before === undefined) continue
        assert.isTrue(
          before.priority > one.priority ||
            (before.priority === one.priority && Versionstamp.compare(before.registration, one.registration) < 0)
        )
      }
      const young = nominees.filter(({ id, lastHeartbeat }) =>
        id !== leader.id && now - lastHeartbeat < 2n * heartbeat && lastHeartbeat - now < 2n * heartbeat
      )
      assert.sameMembers(inLine.map(({ id }) => id), young.map(({ id }) => id))
    }
  )

  it.prop(
    "is called three at a time, the appointed one first: nobody of them has a higher priority, no equal has looked later",
    [
      Candidates
    ],
    ([candidates]) => {
      const inLine = lineOf(nomineesOf(candidates))
      const called = toCall(inLine, undefined, () => false)
      assert.sameMembers(called.map(({ id }) => id), inLine.slice(0, 3).map(({ id }) => id))
      const [appointed, ...others] = called
      for (const other of others) {
        assert.isTrue(
          appointed!.priority > other.priority ||
            (appointed!.priority === other.priority && appointed!.lastHeartbeat >= other.lastHeartbeat)
        )
      }
    }
  )

  it.prop(
    "comes after a challenger, which is called once",
    [Candidates, Candidate],
    ([candidates, { age, priority }]) => {
      const challenger = nominee(200, priority, BigInt(age))
      const inLine = lineOf([...nomineesOf(candidates), challenger])
      const called = toCall(inLine, challenger, () => false)
      assert.strictEqual(called[0], challenger)
      assert.strictEqual(called.filter(({ id }) => id === challenger.id).length, 1)
      assert.strictEqual(called.length, Math.min(3, new Set([...inLine, challenger]).size))
    }
  )

  it.prop(
    "passes over whoever is known to have died, as if it were not there",
    [Candidates, Schema.Array(Schema.Boolean)],
    ([candidates, dead]) => {
      const inLine = lineOf(nomineesOf(candidates))
      const hasDied = (nominee: Nominee) => dead[inLine.indexOf(nominee)] === true
      const living = inLine.filter((nominee) => !hasDied(nominee))
      assert.deepStrictEqual(toCall(inLine, undefined, hasDied), toCall(living, undefined, () => false))
    }
  )
})

describe("the belief of the appointed", () => {
  const Millis = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 5000 }))

  it.prop("is never over when it leads at once, and counts from before its last look", {
    age: Millis,
    took: Millis,
    margin: Millis,
    apart: Schema.Int.check(Schema.isBetween({ minimum: -30, maximum: 30 }))
  }, ({ age, apart, margin, took }) => {
    const millis = (n: number) => BigInt(n) * 1_000_000n
    const lookedAt = { monotonic: millis(100), wall: millis(7) }
    const at = { monotonic: millis(100 + age), wall: millis(7 + age + apart) }
    const duration = appointmentLease(heartbeat, 10_000_000_000n)
    const left = believesUntil(lookedAt.monotonic, duration, millis(margin)) - at.monotonic
    const may = mayAdopt(lookedAt, duration, millis(margin), at, millis(took))
    assert.strictEqual(may, left > 100_000_000n && left > 4n * millis(took) && Math.abs(apart) <= 10)
  })

  it("is none before it has looked", () => {
    assert.isFalse(mayAdopt(undefined, 10n ** 10n, 0n, { monotonic: 0n, wall: 0n }, 0n))
  })

  it("lasts less than a heartbeat, and no longer than the lease", () => {
    assert.strictEqual(appointmentLease(10n, 100n), 9n)
    assert.strictEqual(appointmentLease(100n, 10n), 10n)
  })

  it("does not move on with a look that shows a tenure under its own id, whoever has registered that", () => {
    const before = rememberLook(blank, viewOf({ _tag: "Vacant", term: 1n, successor: undefined }, 1n), "me", {
      monotonic: 1n,
      wall: 1n
    })
    assert.strictEqual(before.lookedAt?.monotonic, 1n)
    const shown = rememberLook(before, viewOf(held(2n, true), 2n), "me", { monotonic: 2n, wall: 2n })
    assert.strictEqual(shown.lookedAt?.monotonic, 1n)
    const another = rememberLook(shown, viewOf(held(2n, true), 2n), "another", { monotonic: 3n, wall: 3n })
    assert.strictEqual(another.lookedAt?.monotonic, 3n)
  })
})

describe("an appointment", () => {
  it("is a tenure that nobody has renewed, or led", () => {
    assert.isTrue(isAppointment(viewOf(held(7n, true), 7n), undefined))
    assert.isTrue(isAppointment(viewOf(held(7n, true), 7n), 6n))
    assert.isFalse(isAppointment(viewOf(held(7n, true), 8n), undefined), "renewed, or accepted")
    assert.isFalse(isAppointment(viewOf(held(7n, true), 7n), 7n), "led")
    assert.isFalse(isAppointment(viewOf(held(7n, false), 7n), undefined), "claimed")
    assert.isFalse(isAppointment(viewOf({ _tag: "Vacant", term: 7n, successor: leader }, 7n), undefined))
  })
})
