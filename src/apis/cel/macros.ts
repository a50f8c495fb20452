/**
 * What macros stand for: all(), exists(), map() and their like become folds. Positions are the
 * call's. Upstream: cel-go parser/macro.go, cel/library.go (optionals), ext/comprehensions.go,
 * ext/lists.go (sortBy).
 */
import { ACCUMULATOR, type CallNode, type CelNode } from "./ast.ts";
import type { CelIssue } from "./lexer.ts";

type Expanded = CelNode | CelIssue;

/** How many arguments a macro takes, by its name. */
const ONE_VARIABLE: Readonly<Record<string, readonly number[]>> = {
  all: [2],
  exists: [2],
  exists_one: [2],
  map: [2, 3],
  filter: [2],
};
const TWO_VARIABLES: Readonly<Record<string, readonly number[]>> = {
  all: [3],
  exists: [3],
  exists_one: [3],
  existsOne: [3],
  transformList: [3, 4],
  transformMap: [3, 4],
  transformMapEntry: [3, 4],
};

function takes(table: Readonly<Record<string, readonly number[]>>, call: CallNode): boolean {
  return Object.hasOwn(table, call.name) && (table[call.name]?.includes(call.args.length) ?? false);
}

/**
 * The fold a call stands for, the call itself when it is no macro, or what is wrong with it.
 * `bindings`: whether cel.bind() is one.
 */
export function expandMacro(call: CallNode, bindings: boolean): Expanded {
  const { name, target, args, at } = call;
  if (target === undefined) return name === "has" && args.length === 1 ? presence(call) : call;
  if (takes(ONE_VARIABLE, call)) return oneVariable(call, target);
  if (takes(TWO_VARIABLES, call)) return twoVariables(call, target);
  if (bindings && name === "bind" && args.length === 3) return binding(call, target);
  if (args.length !== 2) return call;
  switch (name) {
    case "sortBy":
      return sortBy(call, target);
    case "optMap":
      return optional(call, target, (mapped) => build(at).call("optional.of", [mapped]));
    case "optFlatMap":
      return optional(call, target, (mapped) => mapped);
    default:
      return call;
  }
}

function presence({ args: [argument], at }: CallNode): Expanded {
  if (argument?.kind !== "select" || argument.test) {
    return { at: argument?.at ?? at, message: "invalid argument to has() macro" };
  }
  return { ...argument, at, test: true };
}

/** Makes nodes at one position. */
function build(at: number) {
  const call = (name: string, args: readonly CelNode[]): CelNode => {
    return { kind: "call", at, name, target: undefined, args };
  };
  const list = (items: readonly CelNode[]): CelNode => {
    return { kind: "list", at, items, optional: new Set() };
  };
  return {
    call,
    list,
    ident: (name: string): CelNode => ({ kind: "ident", at, name }),
    literal: (value: boolean | bigint): CelNode => ({ kind: "literal", at, value }),
    map: (): CelNode => ({ kind: "map", at, entries: [] }),
    accu: (): CelNode => ({ kind: "ident", at, name: ACCUMULATOR }),
  };
}

interface Fold {
  readonly init: CelNode;
  readonly condition: CelNode;
  readonly step: CelNode;
  readonly result: CelNode;
}

function variableName(node: CelNode | undefined, message: string): string | CelIssue {
  if (node?.kind === "ident") return node.name;
  return { at: node?.at ?? 0, message };
}

function oneVariable(call: CallNode, range: CelNode): Expanded {
  const [first, ...bodies] = call.args;
  const quantifier = call.name !== "map" && call.name !== "filter";
  const message = quantifier ? "argument must be a simple name" : "argument is not an identifier";
  const variable = variableName(first, message);
  if (typeof variable !== "string") return variable;
  if (variable === "__result__") {
    return { at: first?.at ?? 0, message: "iteration variable overwrites accumulator variable" };
  }
  const fold = foldOf(call, bodies, first as CelNode, undefined);
  return comprehension(call.at, range, variable, undefined, fold);
}

function twoVariables(call: CallNode, range: CelNode): Expanded {
  const [first, second, ...bodies] = call.args;
  const names: string[] = [];
  for (const node of [first, second]) {
    const name = variableName(node, "argument must be a simple name");
    if (typeof name !== "string") return name;
    if (names.includes(name)) {
      return { at: node?.at ?? 0, message: `duplicate variable name: ${name}` };
    }
    if (name === "__result__") {
      return { at: node?.at ?? 0, message: "iteration variable overwrites accumulator variable" };
    }
    names.push(name);
  }
  const [key = "", value = ""] = names;
  const fold = foldOf(call, bodies, second as CelNode, key);
  return comprehension(call.at, range, key, value, fold);
}

function comprehension(
  at: number,
  range: CelNode,
  variable: string,
  second: string | undefined,
  fold: Fold,
): CelNode {
  return { kind: "comprehension", at, range, variable, second, accumulator: ACCUMULATOR, ...fold };
}

/** The fold of a macro over its predicate, filter or transform. */
function foldOf(
  { name, at }: CallNode,
  bodies: readonly CelNode[],
  element: CelNode,
  key: string | undefined,
): Fold {
  const { call, list, ident, literal, map, accu } = build(at);
  const [first, last = first] = bodies as [CelNode, CelNode?];
  const filtered = (step: CelNode) =>
    bodies.length > 1 ? call("_?_:_", [first, step, accu()]) : step;
  const collect = (init: CelNode, step: CelNode): Fold => {
    return { init, condition: literal(true), step, result: accu() };
  };
  switch (name) {
    case "all":
      return {
        init: literal(true),
        condition: call("@not_strictly_false", [accu()]),
        step: call("_&&_", [accu(), first]),
        result: accu(),
      };
    case "exists":
      return {
        init: literal(false),
        condition: call("@not_strictly_false", [call("!_", [accu()])]),
        step: call("_||_", [accu(), first]),
        result: accu(),
      };
    case "exists_one":
    case "existsOne":
      return {
        init: literal(0n),
        condition: literal(true),
        step: call("_?_:_", [first, call("_+_", [accu(), literal(1n)]), accu()]),
        result: call("_==_", [accu(), literal(1n)]),
      };
    case "filter": {
      const step = call("_+_", [accu(), list([element])]);
      return collect(list([]), call("_?_:_", [first, step, accu()]));
    }
    case "transformMap":
      return collect(map(), filtered(call("cel.@mapInsert", [accu(), ident(key ?? ""), last])));
    case "transformMapEntry":
      return collect(map(), filtered(call("cel.@mapInsert", [accu(), last])));
    default:
      return collect(list([]), filtered(call("_+_", [accu(), list([last])])));
  }
}

/** A name for a value within an expression: a fold over nothing whose start is the value. */
function bind(at: number, name: string, value: CelNode, result: CelNode): CelNode {
  const { list, literal, ident } = build(at);
  return {
    kind: "comprehension",
    at,
    range: list([]),
    variable: "#unused",
    second: undefined,
    accumulator: name,
    init: value,
    condition: literal(false),
    step: ident(name),
    result,
  };
}

/** cel.bind(name, value, expression) */
function binding(call: CallNode, target: CelNode): Expanded {
  if (target.kind !== "ident" || target.name !== "cel") return call;
  const [variable, value, result] = call.args as [CelNode, CelNode, CelNode];
  if (variable.kind !== "ident") {
    return { at: variable.at, message: "cel.bind() variable names must be simple identifiers" };
  }
  return bind(call.at, variable.name, value, result);
}

const SORTED_INPUT = "@__sortBy_input__";

function sortBy(call: CallNode, target: CelNode): Expanded {
  if (target.kind === "literal" || target.kind === "map" || target.kind === "message") {
    const message =
      "sortBy can only be applied to a list, identifier, comprehension, call or select expression";
    return { at: target.at, message };
  }
  const { ident } = build(call.at);
  const keys = oneVariable({ ...call, name: "map" }, ident(SORTED_INPUT));
  if ("message" in keys) return keys;
  const sorted: CelNode = {
    kind: "call",
    at: call.at,
    name: "@sortByAssociatedKeys",
    target: ident(SORTED_INPUT),
    args: [keys],
  };
  return bind(call.at, SORTED_INPUT, target, sorted);
}

function optional(call: CallNode, target: CelNode, wrap: (mapped: CelNode) => CelNode): Expanded {
  const { at, name } = call;
  const [variable, body] = call.args as [CelNode, CelNode];
  if (variable.kind !== "ident") {
    const message = `${name}() variable name must be a simple identifier`;
    return { at: variable.at, message };
  }
  const { call: make } = build(at);
  const member = (method: string): CelNode => {
    return { kind: "call", at, name: method, target, args: [] };
  };
  const mapped = bind(at, variable.name, member("value"), body);
  return make("_?_:_", [member("hasValue"), wrap(mapped), make("optional.none", [])]);
}
