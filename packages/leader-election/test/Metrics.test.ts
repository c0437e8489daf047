/** The dashboard, the alerts and the manual speak of metrics that are emitted, and of their labels. */
import { FdbError, Versionstamp } from "@effect-fdb/core"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Metric } from "effect"
import { PrometheusMetrics } from "effect/observability"
import { readFileSync } from "node:fs"
import { ElectionCause, ElectionConfig, type ElectionEvent, LossReason } from "../src/index.ts"
import { Telemetry } from "../src/internal/candidate/telemetry.ts"

const tenure = { election: "app/mailer", candidate: "a", term: 1n } as const
const second = Duration.seconds(1)
const belief = { ...tenure, leaseDuration: second, believesUntil: 1n } as const
const config = new ElectionConfig({})
const error = new FdbError({ code: 1031, phase: "read" })

/** One event of each kind, or more where they are counted apart. */
const events: { readonly [Tag in ElectionEvent["_tag"]]: ReadonlyArray<Extract<ElectionEvent, { _tag: Tag }>> } = {
  Registered: [{
    ...tenure,
    _tag: "Registered",
    registration: Versionstamp.make(new Uint8Array(10), 0),
    again: false
  }],
  Superseded: [{ ...tenure, _tag: "Superseded" }],
  ConfigDiffers: [{ ...tenure, _tag: "ConfigDiffers", given: config, inForce: config }],
  Following: [{ ...tenure, _tag: "Following", leader: "b", enabled: true }],
  Challenged: [{ ...tenure, _tag: "Challenged" }],
  Elected: ElectionCause.literals.map((cause) => ({
    ...belief,
    _tag: "Elected",
    ballot: 1n,
    cause,
    leaderless: second,
    witnesses: 2
  })),
  Shortened: [{ ...belief, _tag: "Shortened" }],
  Renewed: (["fast", "full"] as const).map((path) => ({
    ...belief,
    _tag: "Renewed",
    ballot: 2n,
    path,
    latency: second,
    headroom: second,
    witnesses: 2
  })),
  RenewalFailed: [{ ...tenure, _tag: "RenewalFailed", path: "full", error }],
  Lost: LossReason.literals.map((reason) => ({ ...tenure, _tag: "Lost", reason })),
  Overrun: [{ ...tenure, _tag: "Overrun" }],
  Resigned: [{ ...tenure, _tag: "Resigned" }],
  Evicted: [{ ...tenure, _tag: "Evicted", candidates: ["x", "y"] }],
  Retried: [{ ...tenure, _tag: "Retried", error }]
}

/** What Prometheus scrapes after all of them. */
const scraped = Effect.gen(function*() {
  const telemetry = new Telemetry(tenure.election, tenure.candidate, { candidateLabel: true })
  yield* Effect.forEach(Object.values(events).flat(), (event) => telemetry.record(event))
  return yield* PrometheusMetrics.format()
}).pipe(Effect.provideService(Metric.MetricRegistry, new Map()))

interface Emitted {
  readonly kinds: ReadonlyMap<string, string>
  /** Series as they are stored, those of a histogram apart. */
  readonly series: ReadonlySet<string>
  readonly labels: ReadonlyMap<string, ReadonlySet<string>>
}

const emitted = Effect.map(scraped, (text): Emitted => {
  const kinds = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, kind]) => [name!, kind!]))
  const series = new Set<string>()
  const labels = new Map<string, Set<string>>()
  for (const [, name, inBraces] of text.matchAll(/^(fdb_election_\w+)\{([^}]*)\}/gm)) {
    series.add(name!)
    for (const [, label, value] of inBraces!.matchAll(/(\w+)="([^"]*)"/g)) {
      labels.set(label!, (labels.get(label!) ?? new Set()).add(value!))
    }
  }
  return { kinds, series, labels }
})

const docs = (file: string) => readFileSync(new URL(`../../../docs/${file}`, import.meta.url), "utf8")
const names = (text: string) => new Set(text.match(/\bfdb_election_\w+/g))

/** What is wrong with the expressions of a file. */
const problems = (text: string, { labels, series }: Emitted): ReadonlyArray<string> => [
  ...[...names(text)].filter((name) => !series.has(name)).map((name) => `${name} is not emitted`),
  ...[...text.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list]) => list!.split(/,\s*/))
    .filter((label) => !labels.has(label)).map((label) => `no series has the label ${label}`),
  ...[...text.matchAll(/[{,](\w+)=\\?"([\w-]+)\\?"/g)].filter(([, label, value]) => !labels.get(label!)?.has(value!))
    .map(([matcher]) => `no series matches ${matcher}`)
]

describe("metrics", () => {
  it.effect("have names and units as OpenMetrics asks for them", () =>
    Effect.gen(function*() {
      const { kinds } = yield* emitted
      assert.strictEqual(kinds.size, 11)
      for (const [name, kind] of kinds) {
        assert.match(name, /^fdb_election_[a-z]+(_[a-z]+)*$/)
        assert.strictEqual(name.endsWith("_total"), kind === "counter", name)
        assert.strictEqual(name.endsWith("_seconds"), kind === "histogram", name)
      }
    }))

  it.effect("have buckets for several default leases, which a failover may take", () =>
    Effect.gen(function*() {
      const greatest = Math.max(...[...(yield* scraped).matchAll(/le="([\d.]+)"/g)].map(([, le]) => Number(le)))
      assert.isAbove(greatest, 3 * Duration.toSeconds(config.leaseDuration))
    }))

  it.effect("are the ones that the dashboard shows, the alerts watch, and the manual explains", () =>
    Effect.gen(function*() {
      const all = yield* emitted
      for (const file of ["grafana/fdb-election.json", "prometheus/fdb-election.rules.yml"]) {
        assert.deepStrictEqual(problems(docs(file), all), [], file)
      }
      const explained = [...docs("operations.md").matchAll(/^\| `(fdb_election_\w+)`/gm)].map(([, name]) => name!)
      assert.deepStrictEqual(explained.toSorted(), [...all.kinds.keys()].toSorted())
      const dashboard = JSON.parse(docs("grafana/fdb-election.json")) as { readonly panels: ReadonlyArray<unknown> }
      const shown = [...all.kinds.keys()].filter((name) => !JSON.stringify(dashboard.panels).includes(name))
      assert.deepStrictEqual(shown, [])
      const alerts = [...docs("prometheus/fdb-election.rules.yml").matchAll(/- alert: (\w+)/g)].map(([, name]) => name!)
      assert.deepStrictEqual(alerts.filter((name) => !docs("operations.md").includes(name)), [])
    }))

  it.effect("that are not emitted would be noticed in a dashboard, and so would labels", () =>
    Effect.gen(function*() {
      const all = yield* emitted
      const wrong = "sum by (election, host) (rate(fdb_election_lost_total{reason=\\\"crashed\\\"}[5m]))"
      assert.lengthOf(problems(wrong, all), 3)
    }))
})
