/**
 * The service `Witness` of `@effect-fdb/core` by Unix sockets in a directory of the host. The kernel closes the sockets of a process at
 * its end, however it ends, and not before. See `internal/mesh.ts` for what counts as the death of a process.
 */
import { Witness, type WitnessService } from "@effect-fdb/core"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as path from "node:path"
import * as sharedMeshes from "./internal/sharedMeshes.ts"
import { startProcess } from "./internal/witnessProcess.ts"
import type { WitnessUnavailable } from "./WitnessError.ts"

/**
 * Where the processes of the host find each other.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * A directory of this host that holds nothing but sockets. It belongs to the user of the process or to root, and has mode 0700. The
   * layer creates it so; its parent must exist. The path has at most 86 bytes.
   */
  readonly directory: string
}

/**
 * The service, until the scope closes. All that a process opens for one directory share one connection with each other process.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = Effect.fnUntraced(
  function*(options: Options): Effect.fn.Return<WitnessService, WitnessUnavailable, Scope.Scope> {
    const mesh = yield* sharedMeshes.acquire(path.resolve(options.directory))
    return Witness.fromRegistry(mesh)
  }
)

/**
 * The service `Witness` of a directory. Every process of the host that builds it for the same directory witnesses the end of the others.
 *
 * - It fails with {@link WitnessUnavailable}, whose message says what to do, if the directory cannot be used: it belongs to another
 *   user, others may enter it, its path is too long, the layer is built in a worker thread, or the platform is not Linux or macOS.
 * - It never keeps a process alive, and it costs nothing while nobody comes or goes.
 *
 * @example const WitnessLayer = Witness.layer({ directory: "/run/app/witness" })
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options): Layer.Layer<Witness, WitnessUnavailable> =>
  Layer.effect(Witness, make(options))

/**
 * {@link layer} with a `Config` for each option, or one for all.
 *
 * @example const WitnessLayer = Witness.layerConfig({ directory: Config.NonEmptyString("FDB_ELECTION_WITNESS") })
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  options: Config.Wrap<Options>
): Layer.Layer<Witness, WitnessUnavailable | Config.ConfigError> =>
  Layer.effect(Witness, Effect.flatMap(Config.unwrap(options), make))

/**
 * A witness that is a process of its own.
 *
 * @since 0.1.0
 * @category models
 */
export interface ProcessOptions extends Options {
  /** The arguments that select the store, such as `["--engine", "fdb"]`; unless given, the environment does, as for the command. */
  readonly arguments?: ReadonlyArray<string> | undefined
  /** What starts `fdb-election`; the command of the installed package `@effect-fdb/cli` unless given. */
  readonly command?: readonly [file: string, ...args: Array<string>] | undefined
}

/**
 * {@link layer}, and a process `fdb-election witness` beside this one, which is left when this process dies. It ends the tenures of
 * this process in the store then, so that candidates of other hosts need not wait for the lease. For applications that are the only
 * candidate of their host, and where no such process runs as a service.
 *
 * The process is started when the layer is built, and ended with it; after the death of this process it ends by itself. It takes about
 * 60 MB. If it cannot be started, the layer fails with {@link WitnessUnavailable}; if it ends early, a warning says so and the lease
 * decides.
 *
 * @example const WitnessLayer = Witness.layerProcess({ directory: "/run/app/witness", arguments: ["--engine", "fdb"] })
 * @since 0.1.0
 * @category layers
 */
export const layerProcess = (options: ProcessOptions): Layer.Layer<Witness, WitnessUnavailable> =>
  Layer.effect(Witness, Effect.tap(make(options), () => startProcess(options)))

/**
 * The service of a process that hears and tells nothing.
 *
 * @since 0.1.0
 * @category constructors
 */
export const none: WitnessService = {
  tell: () => Effect.void,
  hasDied: () => false,
  onDeath: () => Effect.void,
  witnesses: () => 0,
  living: () => []
}

/**
 * The service of a process that hears of the others and tells nothing of itself, because what it leads outlives it.
 *
 * @since 0.1.0
 * @category combinators
 */
export const hearing = (witness: WitnessService): WitnessService => ({ ...witness, tell: () => Effect.void })
