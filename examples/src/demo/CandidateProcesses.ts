/** The candidates' processes, and what they report. */
import { Clock, Effect, Queue, Schema, Stream } from "effect"
import { ChildProcess } from "effect/process"
import { fileURLToPath } from "node:url"
import { type Report, ReportLine } from "./report.ts"

/** A report, with the candidate that made it. */
export type CandidateReport = Report & { readonly who: string }

export interface CandidateProcess {
  readonly who: string
  readonly tell: (command: "resign" | "cut" | "mend") => Effect.Effect<void>
  readonly signal: (signal: NodeJS.Signals) => Effect.Effect<void>
  /** Completes when the process has ended. */
  readonly ended: Effect.Effect<void>
}

/** Nothing happened for much longer than anything takes. */
export class Stuck extends Schema.TaggedError<Stuck>()("Stuck", { message: Schema.String }) {}

const decode = Schema.decodeUnknownEffect(ReportLine)
const program = fileURLToPath(new URL("candidate.js", import.meta.url))

/** @param location says where the database and its records are; each process gets it as arguments */
export const make = Effect.fnUntraced(function*(
  location: ReadonlyArray<string>,
  onReport: (report: CandidateReport) => Effect.Effect<void>
) {
  const reports: Array<CandidateReport> = []
  const running = new Map<string, CandidateProcess>()
  const arrivals = yield* Queue.unbounded<CandidateReport>()

  /** Starts a candidate. The end of the scope kills its process. */
  const start = Effect.fnUntraced(function*(who: string, priority: number) {
    const commands = yield* Queue.unbounded<Uint8Array>()
    const handle = yield* ChildProcess.make(process.execPath, [program, ...location, who, String(priority)], {
      stdin: Stream.fromQueue(commands),
      stderr: "inherit",
      killSignal: "SIGKILL"
    })
    yield* handle.stdout.pipe(
      Stream.decodeText,
      Stream.splitLines,
      Stream.runForEach(Effect.fnUntraced(function*(line) {
        const report = { ...yield* Effect.orDie(decode(line)), who }
        reports.push(report)
        yield* onReport(report)
        yield* Queue.offer(arrivals, report)
      })),
      Effect.ignore,
      Effect.forkScoped
    )
    running.set(who, {
      who,
      tell: (command) => Effect.asVoid(Queue.offer(commands, new TextEncoder().encode(`${command}\n`))),
      signal: (signal) =>
        Effect.gen(function*() {
          if (signal === "SIGKILL") reports.push({ _tag: "Killed", at: yield* Clock.monotonicTimeNanos, who })
          process.kill(handle.pid, signal)
        }),
      ended: Effect.ignore(handle.exitCode)
    })
  })

  /** Waits for the next report in which something is found. It does not return to reports that it has passed. */
  const until = <A>(waitingFor: string, find: (report: CandidateReport) => A | undefined): Effect.Effect<A, Stuck> =>
    Effect.gen(function*() {
      while (true) {
        const found = find(yield* Queue.take(arrivals))
        if (found !== undefined) return found
      }
    }).pipe(Effect.timeoutOrElse({
      duration: "15 seconds",
      orElse: () => Effect.fail(new Stuck({ message: `the demonstration is stuck: it waits for ${waitingFor}` }))
    }))

  /** `reports` has all of them, in the order of arrival. */
  return { reports, running, start, until }
})

export type CandidateProcesses = Effect.Success<ReturnType<typeof make>>
