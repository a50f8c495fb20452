/**
 * What an expression can cost at most, from the sizes its types allow: kube-apiserver refuses rules
 * of CustomResourceDefinitions by it, so the figures are upstream's to the unit.
 * Upstream: cel-go checker/cost.go.
 */
import {
  ACCUMULATOR,
  type CallNode,
  type CelNode,
  type ComprehensionNode,
  type ListNode,
  type MapNode,
} from "./ast.ts";
import type { Checked } from "./checker.ts";
import type { CelEnvironment } from "./environment.ts";
import { type EstimatedNode, estimateCall } from "./estimate-call.ts";
import {
  add,
  type Estimate,
  exactly,
  multiply,
  NOTHING,
  scale,
  UNKNOWN_SIZE,
  union,
} from "./estimates.ts";
import { LIST_COST, MAP_COST, MESSAGE_COST, STRING_FACTOR } from "./runtime-cost.ts";
import { type CelType, ERROR, insideOptional } from "./types.ts";
import { CelUint, textSize } from "./values.ts";

/** The sizes of a container's keys and values. */
interface EntrySize {
  readonly container: "list" | "map";
  readonly key: Estimate;
  readonly value: Estimate;
}

interface Local {
  readonly path: readonly string[] | undefined;
  readonly size: Estimate | undefined;
  readonly entry: EntrySize | undefined;
}

/** The least and the most an expression can cost. */
export function estimateCost(
  root: CelNode,
  checked: Checked,
  { variables, sized }: CelEnvironment,
): Estimate {
  return new Estimator(checked, sized ? variables : new Map()).cost(root);
}

class Estimator {
  readonly #checked: Checked;
  readonly #variables: ReadonlyMap<string, CelType>;
  readonly #locals = new Map<string, Local[]>();
  readonly #paths = new Map<CelNode, readonly string[]>();
  readonly #sizes = new Map<CelNode, Estimate>();
  readonly #entries = new Map<CelNode, EntrySize>();
  constructor(checked: Checked, variables: ReadonlyMap<string, CelType>) {
    this.#checked = checked;
    this.#variables = variables;
  }

  cost(node: CelNode): Estimate {
    switch (node.kind) {
      case "literal":
        return NOTHING;
      case "ident":
        this.#paths.set(node, this.#local(node.name)?.path ?? [node.name]);
        return exactly(1);
      case "select":
        return this.#select(node);
      case "call":
        return this.#call(node);
      case "list":
        return this.#list(node);
      case "map":
        return this.#map(node);
      case "message":
        return node.fields.reduce(
          (sum, { value }) => add(sum, this.cost(value)),
          exactly(MESSAGE_COST),
        );
      case "comprehension":
        return this.#comprehension(node);
    }
  }

  #local(name: string): Local | undefined {
    return this.#locals.get(name)?.at(-1);
  }

  #push(name: string, local: Local): void {
    const stack = this.#locals.get(name) ?? [];
    this.#locals.set(name, [...stack, local]);
  }

  #pop(name: string): void {
    this.#locals.get(name)?.pop();
  }

  #typeOf(node: CelNode): CelType {
    return this.#checked.types.get(node) ?? ERROR;
  }

  #path(node: CelNode): readonly string[] {
    const local = node.kind === "ident" ? this.#local(node.name) : undefined;
    return local?.path ?? this.#paths.get(node) ?? [];
  }

  #select(node: CelNode & { kind: "select" }): Estimate {
    if (this.#checked.names.has(node)) return exactly(1);
    const operand = this.cost(node.operand);
    if (node.test) return operand;
    this.#paths.set(node, [...this.#path(node.operand), node.field]);
    const { kind } = this.#typeOf(node.operand);
    const counts = kind === "map" || kind === "object" || kind === "param";
    return counts ? add(operand, exactly(1)) : operand;
  }

  #sizeOrUnknown(node: CelNode): Estimate {
    return this.#size(node) ?? UNKNOWN_SIZE;
  }

  #size(node: CelNode): Estimate | undefined {
    const known = this.#sizes.get(node) ?? literalSize(node);
    if (known !== undefined) return known;
    const declared = this.#declaredSize(this.#path(node));
    if (declared !== undefined) {
      this.#sizes.set(node, declared);
      return declared;
    }
    if (isScalar(this.#typeOf(node))) return exactly(1);
    return node.kind === "ident" ? this.#local(node.name)?.size : undefined;
  }

  /**
   * The size that the schema allows at a path. As for upstream every path begins at self, even that
   * of an element of what no variable holds.
   */
  #declaredSize(path: readonly string[]): Estimate | undefined {
    const [root, ...rest] = path;
    let type = root === undefined ? undefined : this.#variables.get("self");
    for (const step of rest) type = type === undefined ? undefined : stepInto(type, step);
    if (type === undefined) return undefined;
    return { min: 0, max: "max" in type ? (type.max ?? 0) : 0 };
  }

  #entry(node: CelNode): EntrySize | undefined {
    const known = this.#entries.get(node);
    if (known !== undefined) return known;
    return node.kind === "ident" ? this.#local(node.name)?.entry : undefined;
  }

  #estimated(node: CelNode): EstimatedNode {
    const path = this.#path(node);
    return {
      node,
      type: this.#typeOf(node),
      size: this.#size(node),
      // An accumulator is no variable whose schema could be looked up.
      elementSize: () =>
        path[0] === ACCUMULATOR ? undefined : this.#declaredSize([...path, "@items"]),
    };
  }

  #call(node: CallNode): Estimate {
    const namespaced = this.#checked.names.get(node);
    const name = namespaced ?? node.name;
    if (name === "dyn" && node.args[0] !== undefined) return this.#dyn(node, node.args[0]);
    const costs = node.args.map((one) => this.cost(one));
    const args = node.args.map((one) => this.#estimated(one));
    const overloads = this.#checked.overloads.get(node);
    if (name === "_?._") return this.#optionalSelect(node, costs);
    if (overloads === undefined || overloads.length === 0) return NOTHING;
    const target = namespaced === undefined ? node.target : undefined;
    const targetCost = target === undefined ? NOTHING : this.cost(target);
    const on = target === undefined ? undefined : this.#estimated(target);
    let total: Estimate | undefined;
    let size: Estimate | undefined;
    for (const { id } of overloads) {
      const found = this.#overloadCost(node, { name, id, on, args, costs });
      total = total === undefined ? found.cost : union(total, found.cost);
      if (found.size !== undefined)
        size = size === undefined ? found.size : union(size, found.size);
      size = this.#indexed(node, id) ?? size ?? this.#size(node);
    }
    if (size !== undefined) this.#sizes.set(node, size);
    return add(targetCost, total ?? NOTHING);
  }

  #optionalSelect(node: CallNode, costs: readonly Estimate[]): Estimate {
    const [operand, field] = node.args as [CelNode, CelNode];
    if (field.kind === "literal") {
      this.#paths.set(node, [...this.#path(operand), String(field.value)]);
    }
    return costs.reduce(add, exactly(1));
  }

  /** dyn() costs one and changes no size. */
  #dyn(node: CallNode, argument: CelNode): Estimate {
    const cost = this.cost(argument);
    const size = this.#size(argument);
    const entry = this.#entry(argument);
    if (size !== undefined) this.#sizes.set(node, size);
    if (entry !== undefined) this.#entries.set(node, entry);
    return add(exactly(1), cost);
  }

  /** The size of an element of a list or map made by the expression, and its path. */
  #indexed(node: CallNode, id: string): Estimate | undefined {
    const [container] = node.args;
    if (container === undefined || (id !== "index_list" && id !== "index_map")) return undefined;
    this.#paths.set(node, [...this.#path(container), id === "index_list" ? "@items" : "@values"]);
    return this.#entry(container)?.value;
  }

  #overloadCost(
    node: CallNode,
    call: {
      readonly name: string;
      readonly id: string;
      readonly on: EstimatedNode | undefined;
      readonly args: readonly EstimatedNode[];
      readonly costs: readonly Estimate[];
    },
  ): { cost: Estimate; size: Estimate | undefined } {
    const { id, costs } = call;
    const sum = costs.reduce(add, NOTHING);
    const [left = NOTHING, right = NOTHING, third = NOTHING] = costs;
    const known = estimateCall(call.name, id, call.on, call.args);
    if (known !== undefined) return { cost: add(known.cost, sum), size: known.size };
    const [first, second, last] = node.args;
    switch (id) {
      case "logical_and":
      case "logical_or":
        return { cost: { min: left.min, max: add(left, right).max }, size: undefined };
      case "conditional": {
        if (second === undefined || last === undefined) break;
        this.#joinEntries(node, second, last);
        const size = union(this.#sizeOrUnknown(second), this.#sizeOrUnknown(last));
        return { cost: add(left, union(right, third)), size };
      }
      case "add_string":
      case "add_bytes":
      case "add_list": {
        if (first === undefined || second === undefined) break;
        const size = add(this.#sizeOrUnknown(first), this.#sizeOrUnknown(second));
        this.#joinEntries(node, first, second);
        const own = id === "add_list" ? exactly(1) : scale(size, STRING_FACTOR);
        return { cost: add(own, sum), size };
      }
      default:
    }
    return { cost: add(exactly(1), sum), size: undefined };
  }

  #joinEntries(node: CelNode, left: CelNode, right: CelNode): void {
    const [mine, theirs] = [this.#entry(left), this.#entry(right)];
    if (mine === undefined || theirs === undefined) return;
    this.#entries.set(node, {
      container: mine.container,
      key: union(mine.key, theirs.key),
      value: union(mine.value, theirs.value),
    });
  }

  #list(node: ListNode): Estimate {
    let cost = exactly(LIST_COST);
    let value: Estimate = node.items.length === 0 ? NOTHING : { min: Infinity, max: 0 };
    for (const item of node.items) {
      cost = add(cost, this.cost(item));
      value = union(value, this.#sizeOrUnknown(item));
    }
    this.#entries.set(node, { container: "list", key: exactly(1), value });
    return cost;
  }

  #map(node: MapNode): Estimate {
    let cost = exactly(MAP_COST);
    const start: Estimate = node.entries.length === 0 ? NOTHING : { min: Infinity, max: 0 };
    let [key, value] = [start, start];
    for (const entry of node.entries) {
      cost = add(add(cost, this.cost(entry.key)), this.cost(entry.value));
      key = union(key, this.#sizeOrUnknown(entry.key));
      value = union(value, this.#sizeOrUnknown(entry.value));
    }
    this.#entries.set(node, { container: "map", key, value });
    return cost;
  }

  #comprehension(node: ComprehensionNode): Estimate {
    if (node.accumulator !== ACCUMULATOR) return this.#bind(node);
    let sum = add(this.cost(node.range), this.cost(node.init));
    this.#push(node.accumulator, this.#localOf(node.init));
    const names = this.#pushVariables(node);
    const each = add(this.cost(node.condition), this.cost(node.step));
    for (const name of names) this.#pop(name);
    sum = add(sum, this.cost(node.result));
    this.#pop(node.accumulator);
    const count = this.#sizeOrUnknown(node.range);
    sum = add(sum, multiply(count, each));
    if (node.init.kind === "literal") {
      this.#sizes.set(node, this.#sizeOrUnknown(node.init));
    } else if (node.init.kind === "list" || node.init.kind === "map") {
      this.#sizes.set(node, count);
      const entry = this.#entry(node.step);
      if (entry !== undefined) this.#entries.set(node, entry);
    }
    return sum;
  }

  #bind(node: ComprehensionNode): Estimate {
    let sum = add(this.cost(node.range), this.cost(node.init));
    this.#push(node.accumulator, this.#localOf(node.init));
    sum = add(sum, this.cost(node.result));
    const size = this.#size(node.result);
    const entry = this.#entry(node.result);
    this.#pop(node.accumulator);
    if (size !== undefined) this.#sizes.set(node, size);
    if (entry !== undefined) this.#entries.set(node, entry);
    return sum;
  }

  #localOf(node: CelNode): Local {
    return { path: this.#path(node), size: this.#size(node), entry: this.#entry(node) };
  }

  /** Declares the variables of a fold; their names. */
  #pushVariables({ range, variable, second }: ComprehensionNode): string[] {
    const entry = this.#entry(range);
    const path = this.#path(range);
    const kind = entry?.container ?? this.#typeOf(range).kind;
    const local = (step: string, size: Estimate | undefined) => {
      return { path: [...path, step], size, entry: undefined };
    };
    if (second !== undefined) {
      this.#push(variable, local(kind === "list" ? "@indices" : "@keys", entry?.key));
      this.#push(second, local(kind === "list" ? "@items" : "@values", entry?.value));
      return [variable, second];
    }
    if (kind === "list") this.#push(variable, local("@items", entry?.value));
    else this.#push(variable, local("@keys", entry?.key));
    return [variable];
  }
}

function stepInto(type: CelType, step: string): CelType | undefined {
  const inside = insideOptional(type) ?? type;
  switch (inside.kind) {
    case "list":
      return step === "@items" ? inside.elem : undefined;
    case "map":
      if (step === "@keys") return inside.key;
      return inside.value;
    case "object":
      return inside.field(step)?.type;
    default:
      return undefined;
  }
}

function literalSize(node: CelNode): Estimate | undefined {
  switch (node.kind) {
    case "literal": {
      const { value } = node;
      if (typeof value === "string") return exactly(textSize(value));
      const isBytes = value instanceof Uint8Array && !(value instanceof CelUint);
      return exactly(isBytes ? value.length : 1);
    }
    case "list":
      return exactly(node.items.length);
    case "map":
      return exactly(node.entries.length);
    default:
      return undefined;
  }
}

function isScalar(type: CelType): boolean {
  switch (type.kind) {
    case "bool":
    case "double":
    case "duration":
    case "int":
    case "timestamp":
    case "uint":
      return true;
    default: {
      const inside = insideOptional(type);
      return inside !== undefined && isScalar(inside);
    }
  }
}
