/**
 * Calls: operators that look at an argument only when it is needed, and functions.
 * Upstream: cel-go interpreter/planner.go.
 */
import type { CallNode } from "./ast.ts";
import type { Implementation, Overload } from "./environment.ts";
import { constant, type Frame, type Planned, type Planning, type Run, uncharged } from "./frame.ts";
import { CONVERSION_NAMES } from "./library/conversions.ts";
import { contained } from "./library/operators.ts";
import { planIndex, planOptional } from "./plan-select.ts";
import { callCost } from "./runtime-cost.ts";
import type { CelType } from "./types.ts";
import { runtimeName } from "./types.ts";
import {
  ArrayList,
  CelError,
  CelList,
  CelMap,
  CelOptional,
  type CelValue,
  isNoOverload,
  noOverload,
  typeNameOf,
} from "./values.ts";

/** Plans a call. Throws CelError when a literal can not be converted. */
export function planCall(planner: Planning, node: CallNode): Planned {
  const namespaced = planner.checked.names.get(node);
  const target = namespaced === undefined ? node.target : undefined;
  const given = target === undefined ? node.args : [target, ...node.args];
  const args = given.map((one) => planner.plan(one));
  const [first, second, third] = args as [Planned, Planned, Planned];
  switch (node.name) {
    case "_&&_":
      return { run: logical(first.run, second.run, false) };
    case "_||_":
      return { run: logical(first.run, second.run, true) };
    case "_?_:_":
      return {
        run: conditional(first.run, uncharged(second), uncharged(third)),
        attribute: "free",
      };
    case "_[_]":
      return planIndex(first, second);
    case "_[?_]":
    case "_?._":
      return planOptional(first, second);
    case "@not_strictly_false":
      return { run: notStrictlyFalse(first.run) };
    case "@in":
      if (second.constant !== undefined) return { run: constantIn(first.run, second.constant) };
      break;
    case "_+_":
      if (planner.owns(given[0])) return { run: append(first.run, second.run) };
      break;
    case "or":
    case "orValue":
      if (target !== undefined) return { run: orElse(first.run, second.run, node.name) };
      break;
    default:
  }
  const overloads = planner.checked.overloads.get(node) ?? [];
  return planFunction(namespaced ?? node.name, overloads, args);
}

/** && and ||: `decisive` on either side decides, whatever the other side is. */
function logical(left: Run, right: Run, decisive: boolean): Run {
  return (frame) => {
    let failure: CelError | undefined;
    try {
      const value = left(frame);
      if (value === decisive) return decisive;
      if (typeof value !== "boolean") failure = noOverload();
    } catch (thrown) {
      if (!(thrown instanceof CelError) || thrown.fatal) throw thrown;
      failure = thrown;
    }
    const value = failure === undefined ? right(frame) : rightAfter(failure, right, frame);
    if (value === decisive) return decisive;
    if (failure !== undefined) throw failure;
    if (typeof value !== "boolean") throw noOverload();
    return value;
  };
}

/** The right side when the left failed: its own failure gives way to the left's. */
function rightAfter(failure: CelError, right: Run, frame: Frame): CelValue {
  try {
    return right(frame);
  } catch (thrown) {
    if (thrown instanceof CelError && !thrown.fatal) throw failure;
    throw thrown;
  }
}

function conditional(condition: Run, yes: Run, no: Run): Run {
  return (frame) => {
    const value = condition(frame);
    if (typeof value !== "boolean") throw noOverload();
    return value ? yes(frame) : no(frame);
  };
}

function notStrictlyFalse(argument: Run): Run {
  return (frame) => {
    let value: CelValue = true;
    try {
      value = argument(frame);
    } catch (thrown) {
      if (!(thrown instanceof CelError) || thrown.fatal) throw thrown;
    }
    frame.charge(1);
    return value !== false;
  };
}

/** Membership of a list of literals, which is looked up and costs nothing. */
function constantIn(argument: Run, container: CelValue): Run {
  const allTexts =
    container instanceof ArrayList && container.values.every((one) => typeof one === "string");
  const texts = allTexts ? new Set<CelValue>(container.values) : undefined;
  const free = container instanceof ArrayList;
  return (frame) => {
    const value = argument(frame);
    if (!free) frame.charge(1);
    return texts === undefined ? contained(value, container) : texts.has(value);
  };
}

/** accumulator + list, where only the fold holds the accumulator. */
function append(accumulator: Run, list: Run): Run {
  return (frame) => {
    const into = accumulator(frame);
    const more = list(frame);
    frame.charge(1);
    if (!(into instanceof ArrayList) || !(more instanceof ArrayList)) throw noOverload();
    into.values.push(...more.values);
    return into;
  };
}

function orElse(left: Run, right: Run, name: "or" | "orValue"): Run {
  return (frame) => {
    const value = left(frame);
    if (!(value instanceof CelOptional)) throw noOverload();
    if (value.value === undefined) return right(frame);
    return name === "or" ? value : value.value;
  };
}

function planFunction(
  name: string,
  overloads: readonly Overload[],
  args: readonly Planned[],
): Planned {
  const [only, ...others] = overloads;
  if (only === undefined) throw noOverload();
  const sameCall = others.every(({ call }) => call === only.call);
  const call = named(name, sameCall ? only.call : dispatch(overloads));
  const foldable = CONVERSION_NAMES.has(name) && args.length === 1;
  const argument = args[0]?.constant;
  if (foldable && argument !== undefined) return constant(call(argument));
  const cost = callCost(name, others.length === 0 ? only.id : undefined);
  return {
    run: runOf(
      args.map(({ run }) => run),
      call,
      cost,
    ),
  };
}

/** Functions that look at their arguments themselves, and whose error has no name. */
const UNGUARDED = new Set(["contains", "endsWith", "startsWith", "flatten"]);

/** Puts the function's name to its error about arguments of other types. */
function named(name: string, call: Implementation): Implementation {
  if (UNGUARDED.has(name)) return call;
  return (...values) => {
    try {
      return call(...values);
    } catch (thrown) {
      throw isNoOverload(thrown) ? noOverload(name) : thrown;
    }
  };
}

/** One closure a number of arguments: the commonest calls allocate nothing for them. */
function runOf(args: readonly Run[], call: Implementation, cost: ReturnType<typeof callCost>): Run {
  const [first, second] = args as [Run, Run];
  if (cost === 1 && args.length === 1) {
    return (frame) => {
      const value = first(frame);
      frame.charge(1);
      return call(value);
    };
  }
  if (cost === 1 && args.length === 2) {
    return (frame) => {
      const left = first(frame);
      const right = second(frame);
      frame.charge(1);
      return call(left, right);
    };
  }
  return (frame) => {
    const values = args.map((run) => run(frame));
    const result = call(...values);
    frame.charge(cost === 1 ? 1 : cost(values, result));
    return result;
  };
}

/** Picks the overload by what the arguments are. */
function dispatch(overloads: readonly Overload[]): Implementation {
  return (...values) => {
    for (const overload of overloads) {
      const fits = overload.args.every((type, index) => fitsType(values[index] ?? null, type));
      if (fits) return overload.call(...values);
    }
    throw noOverload();
  };
}

function fitsType(value: CelValue, type: CelType): boolean {
  switch (type.kind) {
    case "dyn":
    case "param":
    case "error":
      return true;
    case "map":
      return value instanceof CelMap;
    case "list": {
      // A list of unknown elements is told by its first.
      if (!(value instanceof CelList)) return false;
      return value.size === 0 || fitsType(value.at(0), type.elem);
    }
    case "type":
      return typeNameOf(value) === "type";
    default:
      return typeNameOf(value) === runtimeName(type);
  }
}
