/** The candidates' processes: started, told what to do, stopped, killed; what they report is kept and passed on. */
import * as Effect from "effect/Effect"
import type * as PlatformError from "effect/PlatformError"
import { ChildProcess, type ChildProcessSpawner } from "effect/process"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { fileURLToPath } from "node:url"
import { type Report, ReportLine } from "./report.ts"

/** A report and whose it is. */
export type Testimony = Report & { readonly who: string }

/** A candidate's process. */
export interface Member {
  readonly who: string
  /** Sends it a line. */
  readonly tell: (command: "resign" | "cut" | "mend") => Effect.Effect<void>
  readonly signal: (signal: NodeJS.Signals) => Effect.Effect<void>
  /** Completes when the process has ended. */
  readonly ended: Effect.Effect<void>
}

/** Nothing happened for much longer than anything may take. */
export class Stuck extends Schema.TaggedError<Stuck>()("Stuck", { waitingFor: Schema.String }) {
  override get message(): string {
    return `the demonstration is stuck: it waits for ${this.waitingFor}`
  }
}

const patience = "15 seconds"
const decode = Schema.decodeUnknownEffect(ReportLine)
const program = fileURLToPath(new URL("worker.js", import.meta.url))

export class Troupe {
  /** Everything that was reported, in the order of arrival. */
  readonly testimonies: Array<Testimony> = []
  readonly members = new Map<string, Member>()
  private readonly stage: ReadonlyArray<string>
  private readonly onReport: (testimony: Testimony) => Effect.Effect<void>
  private readonly arrivals: Queue.Queue<Testimony>

  private constructor(
    stage: ReadonlyArray<string>,
    onReport: (testimony: Testimony) => Effect.Effect<void>,
    arrivals: Queue.Queue<Testimony>
  ) {
    this.stage = stage
    this.onReport = onReport
    this.arrivals = arrivals
  }

  /** A troupe; `stage` is what its processes are told of where to play. */
  static readonly make = (stage: ReadonlyArray<string>, onReport: (testimony: Testimony) => Effect.Effect<void>) =>
    Effect.map(Queue.unbounded<Testimony>(), (arrivals) => new Troupe(stage, onReport, arrivals))

  /** Starts a candidate. Its process is killed with the scope at the latest. */
  enter(
    who: string,
    priority: number
  ): Effect.Effect<Member, PlatformError.PlatformError, ChildProcessSpawner.ChildProcessSpawner | Scope.Scope> {
    return Effect.gen({ self: this }, function*() {
      const commands = yield* Queue.unbounded<Uint8Array>()
      const handle = yield* ChildProcess.make(process.execPath, [program, ...this.stage, who, String(priority)], {
        stdin: Stream.fromQueue(commands),
        stderr: "inherit",
        killSignal: "SIGKILL"
      })
      yield* handle.stdout.pipe(
        Stream.decodeText,
        Stream.splitLines,
        Stream.runForEach((line) =>
          Effect.flatMap(Effect.orDie(decode(line)), (report) => this.hear({ ...report, who }))
        ),
        Effect.ignore,
        Effect.forkScoped
      )
      const member: Member = {
        who,
        tell: (command) => Effect.asVoid(Queue.offer(commands, new TextEncoder().encode(`${command}\n`))),
        signal: (signal) => Effect.sync(() => void process.kill(handle.pid, signal)),
        ended: Effect.ignore(handle.exitCode)
      }
      this.members.set(who, member)
      return member
    })
  }

  private hear(testimony: Testimony): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.testimonies.push(testimony)
      return Effect.andThen(this.onReport(testimony), Queue.offer(this.arrivals, testimony))
    })
  }

  /** Waits for a report, of those that have not been waited past yet. */
  until<A extends Testimony>(
    waitingFor: string,
    matches: (testimony: Testimony) => testimony is A
  ): Effect.Effect<A, Stuck> {
    return Effect.gen({ self: this }, function*() {
      while (true) {
        const testimony = yield* Queue.take(this.arrivals)
        if (matches(testimony)) return testimony
      }
    }).pipe(
      Effect.timeoutOrElse({ duration: patience, orElse: () => Effect.fail(new Stuck({ waitingFor })) })
    )
  }
}
