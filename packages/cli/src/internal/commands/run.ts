/** `run`: a command of any language as the leader's work. */
import { Database } from "@effect-fdb/core"
import {
  type Candidacy,
  CandidateSuperseded,
  ElectionConfig,
  ElectionObserver,
  type Leadership,
  LeadershipLost
} from "@effect-fdb/leader-election"
import { Argument, Command, Flag } from "effect/cli"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import * as os from "node:os"
import * as tty from "node:tty"
import * as ExitCode from "../../ExitCode.ts"
import { CommandEnded, CommandStopped, SystemRefused, UsageError } from "../../Failure.ts"
import { durationFlag } from "../durationFlag.ts"
import { printable } from "../printable.ts"
import { checkGrace, margins, safetyMargin } from "../run/deadlines.ts"
import * as Nesting from "../run/nesting.ts"
import { parentIsGone } from "../run/parent.ts"
import { statOf } from "../run/processGroup.ts"
import { resolveCommand } from "../run/resolveCommand.ts"
import * as RunReporter from "../run/runReporter.ts"
import { ends, Signals } from "../run/signals.ts"
import { type Running, supervise } from "../run/supervise.ts"
import { foregroundGroup, hasTerminal } from "../run/terminal.ts"
import { Transactions } from "../run/transactions.ts"
import * as Watchdog from "../run/watchdogProcess.ts"
import { type Target, transact } from "../selectedElection.ts"
import { CommandLine, onNewTarget } from "./root.ts"

/** Signals that are the command's, but for those with which a terminal suspends. */
const forwarded: ReadonlyArray<NodeJS.Signals> = [...ends, "SIGUSR1", "SIGUSR2", "SIGWINCH"]

const flags = {
  id: Flag.String("id").pipe(
    Flag.withMetavar("ID"),
    Flag.withDescription(
      "A name that no other process of the election has; host, pid and four random letters unless set"
    ),
    Flag.optional
  ),
  priority: Flag.Int("priority").pipe(
    Flag.withMetavar("N"),
    Flag.withDescription("Higher is preferred, and makes a leader of lower priority step down; 0 unless set"),
    Flag.withDefault(0)
  ),
  again: Flag.Boolean("again").pipe(
    Flag.withDescription("Campaigns again when the command has ended or the leadership was lost"),
    Flag.withDefault(false)
  ),
  grace: durationFlag(
    "grace",
    "How long the command has between SIGTERM and SIGKILL when its lease cannot be renewed; a fifth of the lease unless set"
  ),
  exitWithParent: Flag.Boolean("exit-with-parent").pipe(
    Flag.withDescription("Ends as by SIGTERM when the process that has started it is gone, as npx may be"),
    Flag.withDefault(false)
  ),
  quiet: Flag.Boolean("quiet").pipe(
    Flag.withAlias("q"),
    Flag.withDescription("Says nothing on standard error but why it fails"),
    Flag.withDefault(false)
  ),
  command: Argument.String("command").pipe(
    Argument.withDescription("The command and its arguments, after --"),
    Argument.variadic({ min: 1 })
  )
}

interface Options {
  readonly id: Option.Option<string>
  readonly priority: number
  readonly again: boolean
  readonly grace: Option.Option<Duration.Duration>
  readonly exitWithParent: boolean
  readonly quiet: boolean
  readonly command: ReadonlyArray<string>
}

const letters = "abcdefghijklmnopqrstuvwxyz"

const defaultId = Effect.gen(function*() {
  let suffix = ""
  for (let i = 0; i < 4; i++) suffix += letters[yield* Random.nextIntBetween(0, letters.length - 1)]
  return `${os.hostname()}-${process.pid}-${suffix}`
})

/** Stops this process as a terminal does; where nobody is there to make it go on, the system lets it go on at once. */
const stopItself = (): void => {
  const listeners = process.listeners("SIGTSTP")
  process.removeAllListeners("SIGTSTP")
  process.kill(process.pid, "SIGTSTP")
  for (const listener of listeners) process.on("SIGTSTP", listener)
}

/** What is true of this process while it runs, whichever tenure it is in. */
class Course {
  /** The command, while it runs. */
  running: Running | undefined
  /** Tells the launcher, while there is one, when nothing may be left. */
  until: ((killAt: bigint) => void) | undefined
  /** The command has the terminal, or had it when it last ran: signals of the terminal go to it, and not to this process. */
  onTerminal = false
  /** It was asked to end, and ends when the command has. */
  endedBy: NodeJS.Signals | undefined
  readonly transactions = new Transactions()
  private suspended = false
  believesUntil = 0n
  /** What the command has between SIGTERM and SIGKILL, by the lease as it is, in nanoseconds. */
  grace = 0n
  /** It was asked to end while there was no command to ask. */
  readonly interrupted = Deferred.makeUnsafe<number>()

  /** When nothing may be left of the command. */
  get killAt(): bigint {
    return this.believesUntil + this.grace
  }

  handle(signal: NodeJS.Signals): void {
    const isEnd = ends.includes(signal)
    if (isEnd) this.endedBy = signal
    if (this.running !== undefined) this.running.signal(signal)
    else if (isEnd) {
      Deferred.doneUnsafe(this.interrupted, Effect.succeed(ExitCode.ofSignal(os.constants.signals[signal])))
    }
  }

  begin(running: Running): void {
    this.running = running
    this.onTerminal = running.helper !== undefined
    this.suspended = false
  }

  /** Ctrl-Z has reached this process, or the command, whose shell hands it on. */
  suspend(): void {
    this.running?.signal("SIGSTOP")
    this.transactions.whenNone(this.stop)
  }

  private readonly stop = (): void => {
    stopItself()
    this.suspended = true
    this.resume()
  }

  /** It was made to go on, in the foreground or in the background. */
  resume(): void {
    if (!this.suspended) return
    this.regainTerminal()
    if (this.suspended) this.running?.signal("SIGCONT")
  }

  /** Gives the terminal back to the command when this process has it. A shell says nothing of that to what runs in the background. */
  regainTerminal(): void {
    const helper = this.running?.helper
    if (!this.suspended || helper === undefined || foregroundGroup() === undefined) return
    this.suspended = false
    helper.foreground()
  }

  /**
   * The terminal has hung up. Its foreground group is told by SIGHUP, which is the command's where that has the terminal, and
   * not this process's.
   */
  get hasHungUp(): boolean {
    return this.onTerminal && !hasTerminal()
  }
}

/** Looks for what no signal tells this process of. */
const watchSurroundings = (course: Course, options: Options): Effect.Effect<never> =>
  Effect.gen(function*() {
    while (true) {
      course.regainTerminal()
      const signal = course.hasHungUp
        ? "SIGHUP"
        : options.exitWithParent && parentIsGone()
        ? "SIGTERM"
        : undefined
      if (signal !== undefined) {
        course.handle(signal)
        return yield* Effect.never
      }
      yield* Effect.sleep("500 millis")
    }
  })

/** A command that is typed Ctrl-C or Ctrl-\ on its own terminal ends by these, and whoever typed that wants no other. */
const typedEnds: ReadonlyArray<number> = [
  ExitCode.ofSignal(os.constants.signals.SIGINT),
  ExitCode.ofSignal(os.constants.signals.SIGQUIT)
]

/** Between commands that end soon after they began: doubled from a tenth of a second up to ten. */
const pauseAfter = (shortRuns: number): Duration.Duration =>
  Duration.millis(Math.min(100 * 2 ** (shortRuns - 1), 10_000))
const shortRun = Duration.seconds(10)

const lead = Effect.fnUntraced(function*(
  target: Target,
  options: Options,
  file: string,
  course: Course,
  watchdog: Watchdog.WatchdogProcess
) {
  const { election, name } = target
  const id = Option.isSome(options.id) ? options.id.value : yield* defaultId
  const console = yield* Console.Console
  const clock = yield* Clock.Clock
  const write = (line: string) => console.error(`fdb-election: ${printable(line)}`)
  // A terminal may stop who writes from the background.
  const say = options.quiet
    ? () => {}
    : (line: string) =>
      tty.isatty(2) && foregroundGroup() === undefined ? course.transactions.whenNone(() => write(line)) : write(line)

  if (process.pid === 1) {
    say(
      "is process 1, and cannot reap orphans of the command: start the container with an init, as `docker run --init` does"
    )
  }
  const askedGrace = Option.getOrUndefined(options.grace)
  const config = yield* transact(election.initialize(new ElectionConfig({})))
  yield* checkGrace(config.leaseDuration, askedGrace)
  const report = RunReporter.make({ election: name.text, say, now: () => clock.monotonicTimeNanosUnsafe() })
  const observer: typeof ElectionObserver.Service = (event) => {
    if (event._tag === "Elected" || event._tag === "Shortened" || event._tag === "Renewed") {
      course.believesUntil = event.believesUntil
      course.grace = margins(event.leaseDuration, askedGrace).grace
      watchdog.until(course.believesUntil, course.killAt)
      course.until?.(course.killAt)
    }
    report(event)
  }

  const work = (leadership: Leadership) =>
    supervise({
      watchdog,
      command: ({ term }) => ({
        file,
        argv: options.command,
        env: {
          ...process.env,
          FDB_ELECTION_TERM: String(term),
          FDB_ELECTION_ID: id,
          FDB_ELECTION_NAME: name.text,
          [Nesting.variable]: Nesting.entriesFor(process.env[Nesting.variable], target.store, name.text)
        }
      }),
      grace: () => course.grace,
      killAt: () => course.killAt,
      launched: (until) => {
        course.until = until
      },
      begun: (running) => course.begin(running),
      leftBehind: Effect.sync(() => say("ends what the command has left behind")),
      outOfReach: (pid) =>
        Effect.sync(() =>
          say(
            `process ${pid} of the command runs as another user, and cannot be sent signals: nothing ends it when the ` +
              "leadership is lost. Run fdb-election as that user, as in `sudo fdb-election run -- ...`"
          )
        )
    })(leadership).pipe(Effect.ensuring(Effect.sync(() => {
      course.running = undefined
      course.until = undefined
    })))

  /** One tenure: the command's status, or nothing where the leadership was lost and is campaigned for again. */
  const tenure = (candidacy: Candidacy.Candidacy) =>
    candidacy.withLeadership(work).pipe(
      Effect.asSome,
      Effect.catchIf(
        (error) => error instanceof LeadershipLost,
        ({ reason, term }) =>
          options.again && course.endedBy === undefined && !course.hasHungUp
            ? Effect.succeed(Option.none<number>())
            : Effect.fail(new CommandStopped({ term, why: RunReporter.reasons[reason] }))
      ),
      // The next campaign waits, for to take the id back would end the other's command.
      Effect.catchIf((error) => options.again && error instanceof CandidateSuperseded, () =>
        Effect.sync(() => {
          say(`waits until the other process that takes part as "${id}" is gone: give each an id of its own, or none`)
          return Option.none<number>()
        }))
    )

  const isLast = (status: number) =>
    !options.again || course.endedBy !== undefined || course.hasHungUp ||
    (course.onTerminal && typedEnds.includes(status))

  return yield* Effect.gen(function*() {
    const candidacy = yield* election.candidacy({
      id,
      priority: options.priority,
      safetyMargin: safetyMargin(askedGrace)
    })
    let shortRuns = 0
    while (true) {
      const begun = clock.monotonicTimeNanosUnsafe()
      const status = yield* tenure(candidacy)
      if (Option.isNone(status)) continue
      if (isLast(status.value)) return status.value
      const ran = Duration.nanos(clock.monotonicTimeNanosUnsafe() - begun)
      shortRuns = Duration.isLessThan(ran, shortRun) ? shortRuns + 1 : 0
      say(`the command has ended with ${status.value}; campaigns again`)
      if (shortRuns > 0) yield* Effect.sleep(pauseAfter(shortRuns))
    }
  }).pipe(Effect.scoped, Effect.provideService(ElectionObserver, observer))
})

/** Without `--`, flags that are meant for the command would be taken for ours: `run ./job.sh -q`. */
const checkSeparated = Effect.fnUntraced(function*(command: ReadonlyArray<string>) {
  const args = yield* CommandLine
  const separator = args.indexOf("--")
  if (separator < 0 || args.length - separator - 1 !== command.length) {
    return yield* new UsageError({
      problem: "write -- before the command, so that its flags are its own, as in `fdb-election run -- ./job.sh --all`"
    })
  }
})

const runCommand = (options: Options) =>
  Effect.andThen(
    checkSeparated(options.command),
    onNewTarget((target) =>
      Effect.gen(function*() {
        if (process.platform === "win32") {
          return yield* new UsageError({
            problem: "run needs process groups, which Windows has not: use it on Linux or macOS"
          })
        }
        if (process.platform === "linux" && statOf("self") === undefined) {
          return yield* new SystemRefused({
            problem: "run looks after the command's processes by /proc, which is not mounted: mount it"
          })
        }
        const file = yield* resolveCommand(options.command[0]!, process.env.PATH)
        const above = Nesting.leaderAbove(process.env[Nesting.variable], target.store, target.name.text)
        if (above !== undefined) {
          return yield* new UsageError({
            problem:
              `${target.name.text} is led by process ${above}, of whose command this is a part: it would wait for its ` +
              "own end. Name another election with --election"
          })
        }
        const course = new Course()
        const { take } = yield* Signals
        yield* take(forwarded, (signal) => course.handle(signal))
        yield* take(["SIGTSTP"], () => course.suspend())
        yield* take(["SIGCONT"], () => course.resume())
        // A shell that cannot have the terminal after all stops its whole group by this; it is not to stop this process.
        yield* take(["SIGTTIN"], () => {})
        const watchdog = yield* Watchdog.make
        const database = course.transactions.counting(yield* Database)
        const outcome = yield* lead(target, options, file, course, watchdog).pipe(
          Effect.provideService(Database, database),
          Effect.raceFirst(Deferred.await(course.interrupted)),
          Effect.raceFirst(watchSurroundings(course, options)),
          Effect.result
        )
        if (Result.isFailure(outcome)) return yield* outcome.failure
        if (outcome.success !== ExitCode.ok) return yield* new CommandEnded({ status: outcome.success })
      }).pipe(Effect.scoped)
    )
  )

export const run = Command.make("run", flags, runCommand).pipe(
  Command.withShortDescription("Runs a command in one process at a time: wherever this one leads"),
  Command.withDescription(
    "Waits for leadership, then runs the command, with FDB_ELECTION_TERM, FDB_ELECTION_ID and FDB_ELECTION_NAME in its " +
      "environment. When leadership is lost, the command and all of its process group get SIGTERM, and SIGKILL so early that " +
      "nothing of it is left before another can lead, also if this process is killed or stopped. Input, output and terminal " +
      "are the command's own; signals are handed on to it; its exit status becomes this one's (128 and the number, where a " +
      "signal ended it). Let whatever the command writes to refuse terms smaller than the greatest it has seen. The " +
      "election is set up with the defaults if it was not."
  ),
  Command.withExamples([
    { command: "fdb-election run -- ./scheduler.sh", description: "On as many terminals or hosts as you like" },
    { command: "fdb-election run -e app/scheduler --again -- node scheduler.js", description: "For ever" },
    {
      command: "fdb-election run --priority 10 -- ./scheduler.sh",
      description: "Takes over from those of lower priority"
    }
  ])
)
