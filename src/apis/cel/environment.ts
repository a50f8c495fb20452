/**
 * What an expression may name: variables, functions, types. Upstream: cel-go cel/env.go.
 */
import type { CelType, ObjectType } from "./types.ts";
import type { CelValue } from "./values.ts";

/** Computes a function; the target of a member call is the first argument. Throws CelError. */
export type Implementation = (...args: CelValue[]) => CelValue;

export interface Overload {
  /** Upstream's name of it; costs are looked up by it. */
  readonly id: string;
  readonly member: boolean;
  /** The target's type first when it is a member. */
  readonly args: readonly CelType[];
  readonly result: CelType;
  readonly call: Implementation;
}

export type FunctionTable = ReadonlyMap<string, readonly Overload[]>;

/** The variables and messages of one use of CEL; functions are the same for all uses. */
export interface CelEnvironment {
  readonly variables: ReadonlyMap<string, CelType>;
  /** The messages that may be made: `Object{...}`, `JSONPatch{...}`. */
  readonly message?: (name: string) => ObjectType | undefined;
  /** Whether `cel.bind(name, value, expression)` is there. */
  readonly bindings?: boolean;
  /** Whether the variables' types tell the sizes of values; what has no `max` counts as empty. */
  readonly sized?: boolean;
}

/** Puts the overloads of several libraries into one table. */
export function functionTable(
  libraries: readonly (readonly (readonly [name: string, overloads: readonly Overload[]])[])[],
): FunctionTable {
  const table = new Map<string, Overload[]>();
  for (const [name, overloads] of libraries.flat()) {
    table.set(name, [...(table.get(name) ?? []), ...overloads]);
  }
  return table;
}

/** A function without a target. */
export function overload(
  id: string,
  args: readonly CelType[],
  result: CelType,
  call: Implementation,
): Overload {
  return { id, member: false, args, result, call };
}

/** A function with a target, whose type is the first of `args`. */
export function member(
  id: string,
  args: readonly CelType[],
  result: CelType,
  call: Implementation,
): Overload {
  return { id, member: true, args, result, call };
}
