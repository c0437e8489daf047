/** The candidates' processes, and what they report. */
import * as Effect from "effect/Effect"
import type * as PlatformError from "effect/PlatformError"
import { ChildProcess, type ChildProcessSpawner } from "effect/process"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { fileURLToPath } from "node:url"
import { type Report, ReportLine } from "./report.ts"

/** A report, with the candidate that made it. */
export type CandidateReport = Report & { readonly who: string }

/** A candidate's process. */
export interface CandidateProcess {
  readonly who: string
  /** Sends it a line. */
  readonly tell: (command: "resign" | "cut" | "mend") => Effect.Effect<void>
  readonly signal: (signal: NodeJS.Signals) => Effect.Effect<void>
  /** Completes when the process has ended. */
  readonly ended: Effect.Effect<void>
}

/** Nothing has happened for much longer than anything takes. */
export class Stuck extends Schema.TaggedError<Stuck>()("Stuck", { waitingFor: Schema.String }) {
  override get message(): string {
    return `the demonstration is stuck: it waits for ${this.waitingFor}`
  }
}

const longestWait = "15 seconds"
const decode = Schema.decodeUnknownEffect(ReportLine)
const program = fileURLToPath(new URL("worker.js", import.meta.url))

export class Processes {
  /** Everything that was reported, in the order of arrival. */
  readonly reports: Array<CandidateReport> = []
  readonly running = new Map<string, CandidateProcess>()
  private readonly location: ReadonlyArray<string>
  private readonly onReport: (report: CandidateReport) => Effect.Effect<void>
  private readonly arrivals: Queue.Queue<CandidateReport>

  private constructor(
    location: ReadonlyArray<string>,
    onReport: (report: CandidateReport) => Effect.Effect<void>,
    arrivals: Queue.Queue<CandidateReport>
  ) {
    this.location = location
    this.onReport = onReport
    this.arrivals = arrivals
  }

  /** `location` says where the database and its records are; each process gets it as arguments. */
  static readonly make = (
    location: ReadonlyArray<string>,
    onReport: (report: CandidateReport) => Effect.Effect<void>
  ) => Effect.map(Queue.unbounded<CandidateReport>(), (arrivals) => new Processes(location, onReport, arrivals))

  /** Starts a candidate. The end of the scope kills its process. */
  start(
    who: string,
    priority: number
  ): Effect.Effect<
    CandidateProcess,
    PlatformError.PlatformError,
    ChildProcessSpawner.ChildProcessSpawner | Scope.Scope
  > {
    return Effect.gen({ self: this }, function*() {
      const commands = yield* Queue.unbounded<Uint8Array>()
      const handle = yield* ChildProcess.make(process.execPath, [program, ...this.location, who, String(priority)], {
        stdin: Stream.fromQueue(commands),
        stderr: "inherit",
        killSignal: "SIGKILL"
      })
      yield* handle.stdout.pipe(
        Stream.decodeText,
        Stream.splitLines,
        Stream.runForEach((line) =>
          Effect.flatMap(Effect.orDie(decode(line)), (report) => this.receive({ ...report, who }))
        ),
        Effect.ignore,
        Effect.forkScoped
      )
      const candidate: CandidateProcess = {
        who,
        tell: (command) => Effect.asVoid(Queue.offer(commands, new TextEncoder().encode(`${command}\n`))),
        signal: (signal) => Effect.sync(() => void process.kill(handle.pid, signal)),
        ended: Effect.ignore(handle.exitCode)
      }
      this.running.set(who, candidate)
      return candidate
    })
  }

  private receive(report: CandidateReport): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.reports.push(report)
      return Effect.andThen(this.onReport(report), Queue.offer(this.arrivals, report))
    })
  }

  /** Waits for the next report that matches. It does not return to reports that it has passed. */
  until<A extends CandidateReport>(
    waitingFor: string,
    matches: (report: CandidateReport) => report is A
  ): Effect.Effect<A, Stuck> {
    return Effect.gen({ self: this }, function*() {
      while (true) {
        const report = yield* Queue.take(this.arrivals)
        if (matches(report)) return report
      }
    }).pipe(
      Effect.timeoutOrElse({ duration: longestWait, orElse: () => Effect.fail(new Stuck({ waitingFor })) })
    )
  }
}
