/**
 * Flags and arguments whose values are places in the file system, which shells complete. A value stays as it is given: `-` and `off`
 * mean something else than a place, and what opens a place tells what is wrong with it.
 */
import { type Argument, type Flag, Param, Primitive } from "effect/cli"
import * as Effect from "effect/Effect"

export type Place = "file" | "directory" | "either"

const single = <Kind extends Param.ParamKind>(kind: Kind, name: string, place: Place): Param.Param<Kind, string> =>
  Param.makeSingle({
    kind,
    name,
    primitiveType: Object.assign(Primitive.Path(place), { parse: (value: string) => Effect.succeed(value) })
  })

export const flag = (name: string, place: Place): Flag.Flag<string> => single(Param.flagKind, name, place)

export const argument = (name: string, place: Place): Argument.Argument<string> =>
  single(Param.argumentKind, name, place)
