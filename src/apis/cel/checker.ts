/**
 * Finds the types of an expression and the functions it calls, with cel-go's words for mistakes.
 * Upstream: cel-go checker/checker.go, cel/validator.go.
 */
import { assignAll, isDyn, mostGeneral, type Substitutions, substitute } from "./assignable.ts";
import {
  type CallNode,
  type CelNode,
  type ComprehensionNode,
  type ListNode,
  type MapNode,
  type MessageNode,
  qualifiedName,
  type SelectNode,
} from "./ast.ts";
import type { CelEnvironment, FunctionTable, Overload } from "./environment.ts";
import type { CelIssue } from "./lexer.ts";
import { TYPE_NAMES } from "./type-names.ts";
import {
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DYN,
  ERROR,
  INT,
  insideOptional,
  listOf,
  mapOf,
  NULL,
  optionalOf,
  STRING,
  typeOf,
  typeText,
  UINT,
} from "./types.ts";
import { CelUint } from "./values.ts";

/** What a check found out about a tree's nodes. */
export interface Checked {
  readonly issues: readonly CelIssue[];
  readonly type: CelType;
  readonly types: ReadonlyMap<CelNode, CelType>;
  /** The overloads a call may be; one, unless a type is known at run time only. */
  readonly overloads: ReadonlyMap<CelNode, readonly Overload[]>;
  /** Dotted names that are one name: functions' (without target), types'. */
  readonly names: ReadonlyMap<CelNode, string>;
}

/** Checks a tree; never throws. */
export function check(
  root: CelNode,
  environment: CelEnvironment,
  functions: FunctionTable,
): Checked {
  const checker = new Checker(environment, functions);
  const found = checker.check(root, environment.variables);
  const type = substitute(checker.substitutions, found, true);
  const types = new Map<CelNode, CelType>();
  for (const [node, one] of checker.types) {
    types.set(node, substitute(checker.substitutions, one, true));
  }
  const { issues, overloads, names } = checker;
  return { issues, type, types, overloads, names };
}

type Scope = ReadonlyMap<string, CelType>;

class Checker {
  readonly issues: CelIssue[] = [];
  readonly types = new Map<CelNode, CelType>();
  readonly overloads = new Map<CelNode, readonly Overload[]>();
  readonly names = new Map<CelNode, string>();
  substitutions: Substitutions = new Map();
  #fresh = 0;
  readonly #environment: CelEnvironment;
  readonly #functions: FunctionTable;
  constructor(environment: CelEnvironment, functions: FunctionTable) {
    this.#environment = environment;
    this.#functions = functions;
  }

  check(node: CelNode, scope: Scope): CelType {
    const type = this.#typeOf(node, scope);
    this.types.set(node, type);
    return type;
  }

  #typeOf(node: CelNode, scope: Scope): CelType {
    switch (node.kind) {
      case "literal":
        return literalType(node.value);
      case "ident":
        return named(node.name, scope) ?? this.#undeclared(node, node.name);
      case "select":
        return this.#select(node, scope);
      case "call":
        return this.#call(node, scope);
      case "list":
        return this.#list(node, scope);
      case "map":
        return this.#map(node, scope);
      case "message":
        return this.#message(node, scope);
      case "comprehension":
        return this.#comprehension(node, scope);
    }
  }

  #issue(node: { readonly at: number }, message: string): CelType {
    this.issues.push({ at: node.at, message });
    return ERROR;
  }

  #undeclared(node: CelNode, name: string): CelType {
    return this.#issue(node, `undeclared reference to '${name}' (in container '')`);
  }

  #now(type: CelType): CelType {
    return substitute(this.substitutions, type, false);
  }

  #assignable(from: CelType, to: CelType): boolean {
    const found = assignAll(this.substitutions, [from], [to]);
    if (found === undefined) return false;
    this.substitutions = found;
    return true;
  }

  #newParam(): CelType {
    return { kind: "param", name: `_var${this.#fresh++}` };
  }

  #select(node: SelectNode, scope: Scope): CelType {
    const qualified = qualifiedName(node);
    const whole = qualified === undefined ? undefined : named(qualified, scope);
    if (qualified !== undefined && whole !== undefined) {
      this.names.set(node, qualified);
      return whole;
    }
    const type = this.#field(node, node.operand, node.field, false, scope);
    return node.test ? BOOL : this.#now(type);
  }

  #field(node: CelNode, operand: CelNode, field: string, optional: boolean, scope: Scope): CelType {
    const operandType = this.#now(this.check(operand, scope));
    const inside = insideOptional(operandType);
    const target = inside ?? operandType;
    let result: CelType = DYN;
    switch (target.kind) {
      case "map":
        result = target.value;
        break;
      case "object":
        result = target.field(field)?.type ?? this.#issue(node, `undefined field '${field}'`);
        break;
      case "param":
        this.#assignable(DYN, target);
        break;
      case "dyn":
      case "error":
        break;
      default:
        this.#issue(node, `type '${typeText(target)}' does not support field selection`);
    }
    return inside !== undefined || optional ? optionalOf(result) : result;
  }

  #call(node: CallNode, scope: Scope): CelType {
    const { name, target, args } = node;
    if (name === "_?._") {
      const [operand, field] = args as [CelNode, CelNode];
      const text = field.kind === "literal" ? String(field.value) : "";
      return this.#now(this.#field(node, operand, text, true, scope));
    }
    for (const arg of args) this.check(arg, scope);
    if (target === undefined) {
      const overloads = this.#functions.get(name);
      if (overloads === undefined) return this.#undeclared(node, name);
      return this.#resolve(node, name, overloads, undefined, args);
    }
    const prefix = qualifiedName(target);
    const full = prefix === undefined ? undefined : `${prefix}.${name}`;
    const namespaced = full === undefined ? undefined : this.#functions.get(full);
    if (full !== undefined && namespaced !== undefined) {
      this.names.set(node, full);
      return this.#resolve(node, full, namespaced, undefined, args);
    }
    this.check(target, scope);
    const overloads = this.#functions.get(name);
    if (overloads === undefined) return this.#undeclared(node, name);
    return this.#resolve(node, name, overloads, target, args);
  }

  #resolve(
    node: CallNode,
    name: string,
    overloads: readonly Overload[],
    target: CelNode | undefined,
    args: readonly CelNode[],
  ): CelType {
    const given = target === undefined ? args : [target, ...args];
    const types = given.map((one) => this.types.get(one) ?? ERROR);
    if (name === "_&&_" || name === "_||_") return this.#logical(node, overloads, args, types);
    const fitting: Overload[] = [];
    let result: CelType | undefined;
    for (const overload of overloads) {
      if (overload.member !== (target !== undefined)) continue;
      const fresh: Substitutions = new Map();
      const wanted = overload.args.map((one) => this.#instance(one, fresh));
      const found = assignAll(this.substitutions, types, wanted);
      if (found === undefined) continue;
      this.substitutions = found;
      fitting.push(overload);
      const type = this.#now(this.#instance(overload.result, fresh));
      if (result === undefined) result = type;
      else if (!isDyn(result) && typeText(result) !== typeText(type)) result = DYN;
    }
    if (result === undefined) return this.#noOverload(node, name, types, target !== undefined);
    this.overloads.set(node, fitting);
    return result;
  }

  /** An overload's type with parameters of this call. */
  #instance(type: CelType, fresh: Substitutions): CelType {
    if (type.kind === "param" && !fresh.has(type.name)) fresh.set(type.name, this.#newParam());
    switch (type.kind) {
      case "param":
        return fresh.get(type.name) ?? type;
      case "list":
        return listOf(this.#instance(type.elem, fresh));
      case "map":
        return mapOf(this.#instance(type.key, fresh), this.#instance(type.value, fresh));
      case "opaque":
        if (type.params.length === 0) return type;
        return { ...type, params: type.params.map((one) => this.#instance(one, fresh)) };
      case "type":
        return type.of === undefined ? type : typeOf(this.#instance(type.of, fresh));
      default:
        return type;
    }
  }

  #logical(
    node: CallNode,
    overloads: readonly Overload[],
    args: readonly CelNode[],
    types: readonly CelType[],
  ): CelType {
    let failed = false;
    types.forEach((type, index) => {
      if (this.#assignable(type, BOOL)) return;
      failed = true;
      const message = `expected type 'bool' but found '${typeText(this.#now(type))}'`;
      this.#issue(args[index] ?? node, message);
    });
    this.overloads.set(node, overloads);
    return failed ? ERROR : BOOL;
  }

  #noOverload(node: CelNode, name: string, types: readonly CelType[], isMember: boolean): CelType {
    const texts = types.map((type) => typeText(substitute(this.substitutions, type, true)));
    const [first = "", ...rest] = texts;
    const signature = isMember ? `${first}.(${rest.join(", ")})` : `(${texts.join(", ")})`;
    return this.#issue(node, `found no matching overload for '${name}' applied to '${signature}'`);
  }

  /** The type of an aggregate's elements so far, with one more; what differs is told later. */
  #join(previous: CelType | undefined, current: CelType): CelType {
    if (previous === undefined) return current;
    if (this.#assignable(previous, current)) return mostGeneral(previous, current);
    return DYN;
  }

  #element(node: CelNode, optional: boolean, scope: Scope): CelType {
    const type = this.check(node, scope);
    if (!optional) return type;
    const inside = insideOptional(type);
    if (inside === undefined && !isDyn(type)) {
      const wanted = typeText(optionalOf(type));
      this.#issue(node, `expected type '${wanted}' but found '${typeText(type)}'`);
    }
    return inside ?? type;
  }

  #list({ items, optional }: ListNode, scope: Scope): CelType {
    let elem: CelType | undefined;
    items.forEach((item, index) => {
      elem = this.#join(elem, this.#element(item, optional.has(index), scope));
    });
    return listOf(elem ?? this.#newParam());
  }

  #map({ entries }: MapNode, scope: Scope): CelType {
    let key: CelType | undefined;
    let value: CelType | undefined;
    for (const entry of entries) {
      key = this.#join(key, this.check(entry.key, scope));
      const type = this.#element(entry.value, entry.optional, scope);
      value = this.#join(value, type);
    }
    return mapOf(key ?? this.#newParam(), value ?? this.#newParam());
  }

  #message(node: MessageNode, scope: Scope): CelType {
    const type = this.#environment.message?.(node.name);
    if (type === undefined) return this.#undeclared(node, node.name);
    for (const field of node.fields) {
      const given = this.#element(field.value, field.optional, scope);
      const wanted = type.field(field.name)?.type;
      if (wanted === undefined) {
        this.#issue(field, `undefined field '${field.name}'`);
      } else if (!this.#assignable(wanted, given)) {
        const message = `expected type of field '${field.name}' is '${typeText(wanted)}' but provided type is '${typeText(given)}'`;
        this.#issue(field, message);
      }
    }
    return type;
  }

  #comprehension(node: ComprehensionNode, scope: Scope): CelType {
    const range = this.#now(this.check(node.range, scope));
    const accumulator = this.check(node.init, scope);
    const outer = new Map(scope).set(node.accumulator, accumulator);
    const [first, second] = this.#rangeTypes(node, range);
    const inner = new Map(outer).set(node.variable, first);
    if (node.second !== undefined) inner.set(node.second, second);
    this.#assert(node.condition, BOOL, inner);
    this.#assert(node.step, accumulator, inner);
    return this.#now(this.check(node.result, outer));
  }

  #rangeTypes(node: ComprehensionNode, range: CelType): [CelType, CelType] {
    const two = node.second !== undefined;
    switch (range.kind) {
      case "list":
        return two ? [INT, range.elem] : [range.elem, DYN];
      case "map":
        return [range.key, range.value];
      case "dyn":
        if (!range.any) return [DYN, DYN];
        return this.#noRange(node, range);
      case "error":
      case "param":
        this.#assignable(DYN, range);
        return [DYN, DYN];
      default:
        return this.#noRange(node, range);
    }
  }

  #noRange(node: ComprehensionNode, range: CelType): [CelType, CelType] {
    const message = `expression of type '${typeText(range)}' cannot be range of a comprehension (must be list, map, or dynamic)`;
    this.#issue(node.range, message);
    return [ERROR, ERROR];
  }

  #assert(node: CelNode, wanted: CelType, scope: Scope): void {
    const type = this.check(node, scope);
    if (this.#assignable(wanted, type)) return;
    const message = `expected type '${typeText(wanted)}' but found '${typeText(type)}'`;
    this.#issue(node, message);
  }
}

function named(name: string, scope: Scope): CelType | undefined {
  const variable = scope.get(name);
  if (variable !== undefined) return variable;
  const type = TYPE_NAMES.get(name);
  return type === undefined ? undefined : typeOf(type);
}

function literalType(value: unknown): CelType {
  switch (typeof value) {
    case "bigint":
      return INT;
    case "number":
      return DOUBLE;
    case "string":
      return STRING;
    case "boolean":
      return BOOL;
    default:
      if (value === null) return NULL;
      return value instanceof CelUint ? UINT : BYTES;
  }
}
