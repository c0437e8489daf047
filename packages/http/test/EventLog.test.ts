import { Subspace } from "@effect-fdb/core"
import { ElectionEvent } from "@effect-fdb/leader-election"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { TestClock } from "effect/testing"
import { vi } from "vitest"
import { EventLog } from "../src/index.ts"
import { election, makeProcess, test } from "./support/requests.ts"

const nested = Subspace.fromTuple(["fdb-election", ["app", "mailer"]])

describe("the log of events", () => {
  it.effect("gives those after one that it has kept, and tells when it cannot", () =>
    Effect.gen(function*() {
      const log = yield* EventLog.make
      const listened: Array<EventLog.SentEvent> = []
      const end = log.listen((event) => listened.push(event))
      for (let n = 0; n < 1200; n++) log.publish("Test", { election: "x", n } as EventLog.EventData)
      end()
      log.publish("Test", { election: "x", n: 1200 } as EventLog.EventData)
      assert.lengthOf(listened, 1200)
      const [name] = listened[0]!.id!.split("-")
      const last = (n: number) => log.after(`${name}-${n}`)?.map(({ data }) => JSON.parse(data).n)
      assert.deepStrictEqual(last(1201), [])
      assert.deepStrictEqual(last(1199), [1199, 1200])
      assert.lengthOf(last(800)!, 401)
      for (const id of [`${name}-1`, `${name}-1202`, `${name}-x`, `${name}--1`, `${name}-1.5`, "other-1", "", "1"]) {
        assert.isUndefined(log.after(id), id)
      }
      assert.isUndefined((yield* EventLog.make).after(`${name}-1201`))
    }))
})

const until = (seen: () => boolean) => Effect.promise(() => vi.waitUntil(seen, { timeout: 120_000 }))

describe("the name of an election in events", () => {
  const names = ["app/mailer", "fdb-election/app/mailer"]
  for (const told of [...names, ...names.map((name) => `${name}/slots/0`)]) {
    it.effect(`that are told of ${told} is the one under which it is served`, () =>
      Effect.gen(function*() {
        const log = yield* EventLog.make
        log.name(Subspace.fromTuple(["app", "mail"]), "other")
        log.name(told.startsWith("app") ? election.subspace : nested, "served")
        const elections: Array<string> = []
        log.listen((event) => elections.push(event.election, JSON.parse(event.data).election))
        log.observe(ElectionEvent.Superseded({ election: told, candidate: "a" }))
        log.observe(ElectionEvent.Superseded({ election: "foreign", candidate: "a" }))
        assert.deepStrictEqual(elections, ["served", "served", "foreign", "foreign"])
      }))
  }
})

/** Events as they come. */
const parse = (text: string) =>
  text.split("\n\n").map((block) =>
    Object.fromEntries(block.split("\n").map((line) => line.split(/: (.*)/s).slice(0, 2)))
  )
    .filter(({ event }) => event !== undefined)

describe("/events", () => {
  it.effect(
    "begins with the status, tells what the candidate tells, and resumes by Last-Event-ID",
    test(function*() {
      const a = yield* makeProcess("a")
      const reading = Effect.fnUntraced(function*(headers: Record<string, string> = {}) {
        const response: Response = yield* a.send("/events", { headers })
        let text = ""
        const decoder = new TextDecoder()
        yield* Effect.forkScoped(
          Stream.runForEach(
            Stream.fromReadableStream({ evaluate: () => response.body!, onError: (error) => error }),
            (chunk) => Effect.sync(() => void (text += decoder.decode(chunk)))
          )
        )
        return { response, events: () => parse(text) }
      })
      const first = yield* reading()
      assert.strictEqual(first.response.headers.get("content-type"), "text/event-stream")
      yield* Effect.forkScoped(a.candidacy.withLeadership(() => Effect.never))
      yield* TestClock.adjust("4 seconds")
      yield* until(() => first.events().some(({ event }) => event === "Renewed"))
      const names = first.events().map(({ event }) => event)
      assert.strictEqual(names[0], "Status")
      for (const name of ["Registered", "Elected", "StatusChanged", "Renewed"]) assert.include(names, name)
      for (const { data } of first.events()) assert.strictEqual(JSON.parse(data!).election, "app/mailer")
      const elected = first.events().find(({ event }) => event === "Elected")!
      yield* TestClock.adjust("4 seconds")
      const again = yield* reading({ "last-event-id": elected["id"]! })
      yield* until(() => again.events().some(({ event }) => event === "Status"))
      const kept = again.events().filter(({ id }) => id !== undefined).map(({ id }) => id)
      assert.deepStrictEqual(kept, a.events.after(elected["id"]!)!.map(({ id }) => id))
      const other = yield* reading({ "last-event-id": "00000000-7" })
      yield* until(() => other.events().some(({ event }) => event === "Status"))
      assert.deepStrictEqual(other.events().map(({ event }) => event), ["Missed", "Status"])
    })
  )
})
