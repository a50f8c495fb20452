/**
 * Checks CEL expressions as far as validation of API objects needs it: syntax, names, fields, and
 * the types of operators where they are known. What is not known is `dyn` and passes. This is the
 * seam to a full CEL: callers see compileCel and CelEnvironment only.
 * Upstream: cel-go's checker; apiserver/pkg/cel.
 */
import { COMPREHENSIONS, FUNCTION_RESULTS } from "./functions.ts";
import { type CelIssue, formatIssues } from "./lexer.ts";
import { type CelNode, parseCel } from "./parser.ts";

/** A type: a simple one, a list, a map, or an object whose fields are known. */
export type CelType =
  | { readonly kind: "simple"; readonly name: string }
  | { readonly kind: "list"; readonly elem: CelType }
  | { readonly kind: "map"; readonly key: CelType; readonly value: CelType }
  | {
      readonly kind: "object";
      readonly name: string;
      /** Undefined: there is no such field. */
      readonly field: (name: string) => CelType | undefined;
    };

/** The variables an expression may name. */
export interface CelEnvironment {
  readonly variables: ReadonlyMap<string, CelType>;
  /** Whether messages (`Object{...}`, `JSONPatch{...}`) may be made. */
  readonly messages?: boolean;
}

export interface CelCompilation {
  /** `compilation failed: ...`, or undefined. */
  readonly problem: string | undefined;
  readonly type: CelType;
  readonly tree: CelNode | undefined;
}

const simple = (name: string): CelType => ({ kind: "simple", name });
export const DYN = simple("dyn");
/** What this checker cannot tell; it passes everywhere, which dyn does not. */
export const UNKNOWN = simple("unknown");
const BOOL = simple("bool");

/** A simple type by its CEL name. */
export function celType(name: string): CelType {
  return simple(name);
}

/** Compiles `text`; never throws. */
export function compileCel(text: string, environment: CelEnvironment): CelCompilation {
  const parsed = parseCel(text);
  if (!("kind" in parsed)) {
    return { problem: failed(text, parsed), type: DYN, tree: undefined };
  }
  const checker = new Checker(environment);
  const type = checker.check(parsed, environment.variables);
  const problem = checker.issues.length > 0 ? failed(text, checker.issues) : undefined;
  return { problem, type, tree: parsed };
}

function failed(text: string, issues: readonly CelIssue[]): string {
  return `compilation failed: ${formatIssues(text, issues)}`;
}

/** What a returned type must be: the text upstream gives, or undefined when it fits. */
export function resultProblem(type: CelType, allowed: readonly string[]): string | undefined {
  const got = typeText(type);
  if (type === UNKNOWN || allowed.includes("dyn") || allowed.includes(got)) return undefined;
  if (allowed.length === 1) return `must evaluate to ${allowed[0]} but got ${got}`;
  return `must evaluate to one of [${allowed.join(" ")}] but got ${got}`;
}

/** As cel-go prints it: `list(string)`. */
export function typeText(type: CelType): string {
  switch (type.kind) {
    case "list":
      return `list(${typeText(type.elem)})`;
    case "map":
      return `map(${typeText(type.key)}, ${typeText(type.value)})`;
    default:
      return type === UNKNOWN ? "dyn" : type.name;
  }
}

type Scope = ReadonlyMap<string, CelType>;

const TYPE_NAMES = new Set(
  "bool bytes double dyn int list map null_type string timestamp type uint optional_type".split(
    " ",
  ),
);

class Checker {
  readonly issues: CelIssue[] = [];
  readonly #environment: CelEnvironment;
  constructor(environment: CelEnvironment) {
    this.#environment = environment;
  }

  check(node: CelNode, scope: Scope): CelType {
    switch (node.kind) {
      case "literal":
        return simple(node.type === "null" ? "null_type" : node.type);
      case "ident": {
        const type = scope.get(node.name) ?? (TYPE_NAMES.has(node.name) ? DYN : undefined);
        return type ?? this.#undeclared(node.at, node.name);
      }
      case "select":
        return this.#select(node, scope);
      case "list": {
        const types = node.items.map((item) => this.check(item, scope));
        return { kind: "list", elem: common(types) };
      }
      case "map": {
        const keys = node.entries.map(([key]) => this.check(key, scope));
        const values = node.entries.map(([, value]) => this.check(value, scope));
        return { kind: "map", key: common(keys), value: common(values) };
      }
      case "message":
        for (const [, value] of node.fields) this.check(value, scope);
        if (this.#environment.messages) return simple(node.name);
        return this.#undeclared(node.at, node.name);
      case "call":
        return this.#call(node, scope);
    }
  }

  #undeclared(at: number, name: string): CelType {
    this.issues.push({ at, message: `undeclared reference to '${name}' (in container '')` });
    return DYN;
  }

  #select(node: CelNode & { kind: "select" }, scope: Scope): CelType {
    const operand = this.check(node.operand, scope);
    if (operand === UNKNOWN) return UNKNOWN;
    if (node.optional) {
      // An optional of a known field is no error; of an unknown one it is.
      if (operand.kind !== "object" || operand.field(node.field) !== undefined) return UNKNOWN;
    }
    if (operand.kind === "map") return operand.value;
    if (operand.kind === "object") {
      const type = operand.field(node.field);
      if (type !== undefined) return type;
      this.issues.push({ at: node.at, message: `undefined field '${node.field}'` });
      return DYN;
    }
    if (operand.kind === "simple" && (operand.name === "dyn" || operand.name.includes("."))) {
      return DYN;
    }
    const message = `type '${typeText(operand)}' does not support field selection`;
    this.issues.push({ at: node.at, message });
    return DYN;
  }

  #call(node: CelNode & { kind: "call" }, scope: Scope): CelType {
    const { name, target, args, at } = node;
    if (target !== undefined) return this.#memberCall(node, target, scope);
    if (name === "has") {
      const [operand] = args;
      if (args.length !== 1 || operand?.kind !== "select") {
        this.issues.push({ at, message: "invalid argument to has() macro" });
        return BOOL;
      }
      this.check(operand, scope);
      return BOOL;
    }
    const types = args.map((arg) => this.check(arg, scope));
    const operator = operatorResult(name, types);
    if (operator !== undefined) {
      if (operator !== "none") return operator;
      const texts = types.map(typeText).join(", ");
      const message = `found no matching overload for '${name}' applied to '(${texts})'`;
      this.issues.push({ at, message });
      return DYN;
    }
    return this.#function(at, name);
  }

  #function(at: number, name: string): CelType {
    const result = Object.hasOwn(FUNCTION_RESULTS, name) ? FUNCTION_RESULTS[name] : undefined;
    if (result === undefined) return this.#undeclared(at, name);
    return result === "dyn" ? UNKNOWN : simple(result);
  }

  #memberCall(node: CelNode & { kind: "call" }, target: CelNode, scope: Scope): CelType {
    const { name, args, at } = node;
    const qualified = qualifiedName(target);
    if (qualified !== undefined && !scope.has(qualified.split(".")[0] ?? "")) {
      const full = `${qualified}.${name}`;
      if (full === "cel.bind") return this.#bind(args, scope);
      if (Object.hasOwn(FUNCTION_RESULTS, full)) {
        for (const arg of args) this.check(arg, scope);
        return this.#function(at, full);
      }
    }
    const on = this.check(target, scope);
    const macro = Object.hasOwn(COMPREHENSIONS, name) ? COMPREHENSIONS[name] : undefined;
    if (macro !== undefined && args.length >= 2 && args[0]?.kind === "ident") {
      return this.#comprehension(node, on, macro, scope);
    }
    for (const arg of args) this.check(arg, scope);
    return this.#function(at, name);
  }

  /** cel.bind(name, value, expression). */
  #bind(args: readonly CelNode[], scope: Scope): CelType {
    const [variable, value, body] = args;
    if (variable?.kind !== "ident" || value === undefined || body === undefined) return DYN;
    const inner = new Map(scope).set(variable.name, this.check(value, scope));
    return this.check(body, inner);
  }

  #comprehension(
    { name, args, at }: CelNode & { kind: "call" },
    on: CelType,
    macro: string,
    scope: Scope,
  ): CelType {
    const inner = new Map(scope);
    const two = args.length >= 3 && args[1]?.kind === "ident" && name !== "map";
    const [first, second, ...bodies] = args;
    if (first?.kind === "ident") inner.set(first.name, two ? keyOf(on) : elementOf(on));
    if (two && second?.kind === "ident") inner.set(second.name, memberOf(on));
    const checked = two ? bodies : args.slice(1);
    const types = checked.map((body) => this.check(body, inner));
    const last = types[types.length - 1] ?? DYN;
    if (on.kind === "simple" && on.name !== "dyn" && !macro.startsWith("dyn")) {
      const message = `expression of type '${typeText(on)}' cannot be range of a comprehension (must be list, map, or dynamic)`;
      this.issues.push({ at, message });
    }
    if (macro === "list") return { kind: "list", elem: last };
    if (macro === "same") return on.kind === "list" ? on : { kind: "list", elem: elementOf(on) };
    return macro === "dyn" ? UNKNOWN : simple(macro);
  }
}

function keyOf(type: CelType): CelType {
  if (type.kind === "map") return type.key;
  return type.kind === "list" ? simple("int") : DYN;
}

function memberOf(type: CelType): CelType {
  if (type === UNKNOWN) return UNKNOWN;
  if (type.kind === "map") return type.value;
  return type.kind === "list" ? type.elem : DYN;
}

function elementOf(type: CelType): CelType {
  if (type === UNKNOWN) return UNKNOWN;
  if (type.kind === "list") return type.elem;
  return type.kind === "map" ? type.key : DYN;
}

function qualifiedName(node: CelNode): string | undefined {
  if (node.kind === "ident") return node.name;
  if (node.kind !== "select") return undefined;
  const operand = qualifiedName(node.operand);
  return operand === undefined ? undefined : `${operand}.${node.field}`;
}

function common(types: readonly CelType[]): CelType {
  const [first] = types;
  if (first === undefined) return DYN;
  if (types.includes(UNKNOWN)) return UNKNOWN;
  return types.every((type) => typeText(type) === typeText(first)) ? first : DYN;
}

const NUMERIC = ["int", "uint", "double"];
const KNOWN = [...NUMERIC, "string", "bytes", "bool", "null_type"];

/** What an arithmetic operator gives when one side decides. */
function knownSide(left: CelType, right: CelType): CelType {
  const decides = (type: CelType) =>
    type.kind === "list" || (type.kind === "simple" && KNOWN.includes(type.name));
  if (decides(left)) return left;
  if (decides(right)) return right;
  return left === UNKNOWN || right === UNKNOWN ? UNKNOWN : DYN;
}

/** An operator's type; "none": its operands do not go together; undefined: no operator. */
function operatorResult(name: string, types: readonly CelType[]): CelType | "none" | undefined {
  const [left, right] = types;
  const names = types.map((type) => (type.kind === "simple" ? type.name : ""));
  const allKnown = names.every((one) => KNOWN.includes(one));
  switch (name) {
    case "_&&_":
    case "_||_":
    case "!_":
      return names.some((one) => one !== "bool" && KNOWN.includes(one)) ? "none" : BOOL;
    case "_==_":
    case "_!=_":
      return allKnown && names[0] !== names[1] && !names.includes("null_type") ? "none" : BOOL;
    case "_<_":
    case "_<=_":
    case "_>_":
    case "_>=_": {
      if (!allKnown) return BOOL;
      const bothNumbers = names.every((one) => NUMERIC.includes(one));
      const same = names[0] === names[1] && names[0] !== "null_type";
      return bothNumbers || same ? BOOL : "none";
    }
    case "_+_":
    case "_-_":
    case "_*_":
    case "_/_":
    case "_%_":
      if (!allKnown) return knownSide(left ?? DYN, right ?? DYN);
      if (names[0] !== names[1]) return "none";
      if (name === "_+_" && (names[0] === "string" || names[0] === "bytes")) return left ?? DYN;
      return NUMERIC.includes(names[0] ?? "") ? (left ?? DYN) : "none";
    case "-_":
      return allKnown && names[0] !== "int" && names[0] !== "double" ? "none" : (left ?? DYN);
    case "@in":
      return BOOL;
    case "_?_:_": {
      const [condition, yes, no] = types;
      const wrong = condition?.kind === "simple" && condition.name !== "bool";
      if (wrong && KNOWN.includes(names[0] ?? "")) return "none";
      return common([yes ?? DYN, no ?? DYN]);
    }
    case "_[_]":
      if (left === undefined) return DYN;
      return right === undefined ? DYN : memberOf(left);
    case "_[?_]":
      return UNKNOWN;
    default:
      return undefined;
  }
}
