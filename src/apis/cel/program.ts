/**
 * An expression as closures: planned once, run often. Each run counts its cost in upstream's units
 * and ends when the limit is passed, so that no expression can hold a thread for long.
 * Upstream: cel-go interpreter.
 */
import type { CelNode, ComprehensionNode } from "./ast.ts";
import type { Checked } from "./checker.ts";
import { constant, Frame, type Planned, type Planning, type Run } from "./frame.ts";
import { CelMessage } from "./message.ts";
import { planCall } from "./plan-call.ts";
import { planMember, planTest } from "./plan-select.ts";
import { LIST_COST, MAP_COST, MESSAGE_COST } from "./runtime-cost.ts";
import { TYPE_NAMES } from "./type-names.ts";
import {
  ArrayList,
  CelError,
  CelList,
  CelMap,
  CelOptional,
  CelTypeValue,
  type CelValue,
  typeNameOf,
  ValueMap,
} from "./values.ts";

/** What planning a node needs to know. */
export class Planner implements Planning {
  readonly checked: Checked;
  readonly #slots: ReadonlyMap<string, number>;
  /** Names whose value is a list or a map that only their fold holds, and may change. */
  readonly #owned: ReadonlySet<string>;
  constructor(
    checked: Checked,
    slots: ReadonlyMap<string, number> = new Map(),
    owned: ReadonlySet<string> = new Set(),
  ) {
    this.checked = checked;
    this.#slots = slots;
    this.#owned = owned;
  }

  /** Throws CelError when a literal can not be converted as the expression asks. */
  plan(node: CelNode): Planned {
    switch (node.kind) {
      case "literal":
        return constant(node.value);
      case "ident":
        return this.#ident(node.name);
      case "select": {
        const name = this.checked.names.get(node);
        if (name !== undefined) return this.#ident(name);
        const operand = this.plan(node.operand);
        return node.test ? planTest(operand, node.field) : planMember(operand, node.field);
      }
      case "call":
        return planCall(this, node);
      case "list":
        return this.#list(
          node.items.map((item) => this.plan(item)),
          node.optional,
        );
      case "map":
        return this.#map(node);
      case "message":
        return this.#message(node);
      case "comprehension":
        return this.#comprehension(node);
    }
  }

  /** Whether the node names a list or map that may be changed in place. */
  owns(node: CelNode | undefined): boolean {
    return node?.kind === "ident" && this.#owned.has(node.name);
  }

  #ident(name: string): Planned {
    const slot = this.#slots.get(name);
    if (slot !== undefined) {
      const run = (frame: Frame) => {
        frame.charge(1);
        const value = frame.slots[slot];
        if (value instanceof CelError) throw value;
        return value as CelValue;
      };
      return { run, attribute: "charged" };
    }
    const run = (frame: Frame) => {
      frame.charge(1);
      const value = frame.variables(name);
      if (value === undefined) throw new CelError(`no such attribute(s): ${name}`);
      return value;
    };
    return TYPE_NAMES.has(name) ? constant(new CelTypeValue(name)) : { run, attribute: "charged" };
  }

  #list(items: readonly Planned[], optional: ReadonlySet<number>): Planned {
    const known = items.map((item) => item.constant);
    if (optional.size === 0 && known.every((one) => one !== undefined)) {
      return constant(new ArrayList(known));
    }
    const run = (frame: Frame) => {
      const values: CelValue[] = [];
      for (let index = 0; index < items.length; index++) {
        const value = (items[index] as Planned).run(frame);
        if (!optional.has(index)) values.push(value);
        else if (!(value instanceof CelOptional)) throw notOptional("list element", value);
        else if (value.value !== undefined) values.push(value.value);
      }
      frame.charge(LIST_COST);
      return new ArrayList(values);
    };
    return { run };
  }

  #map({ entries }: CelNode & { kind: "map" }): Planned {
    const parts = entries.map(({ key, value, optional }) => {
      return { key: this.plan(key), value: this.plan(value), optional };
    });
    const build = (frame: Frame) => {
      const map = new ValueMap();
      for (const { key, value, optional } of parts) {
        const name = key.run(frame);
        const given = value.run(frame);
        if (optional && !(given instanceof CelOptional)) throw notOptional("entry", given);
        const inside = optional && given instanceof CelOptional ? given.value : given;
        if (inside !== undefined) map.set(name, inside);
      }
      return map;
    };
    // A map of literals that nobody changes is made once.
    const fixed = parts.every(({ key, value, optional }) => {
      return !optional && key.constant !== undefined && value.constant !== undefined;
    });
    if (fixed) return constant(build(new Frame(() => undefined, Infinity)));
    const run = (frame: Frame) => {
      const map = build(frame);
      frame.charge(MAP_COST);
      return map;
    };
    return { run };
  }

  #message(node: CelNode & { kind: "message" }): Planned {
    const parts = node.fields.map(({ name, value, optional }) => {
      return { name, value: this.plan(value), optional };
    });
    const run = (frame: Frame) => {
      const fields = new Map<string, CelValue>();
      for (const { name, value, optional } of parts) {
        const given = value.run(frame);
        if (!optional) fields.set(name, given);
        else if (!(given instanceof CelOptional)) throw notOptional("entry", given);
        else if (given.value !== undefined) fields.set(name, given.value);
      }
      frame.charge(MESSAGE_COST);
      return new CelMessage(node.name, fields);
    };
    return { run };
  }

  #comprehension(node: ComprehensionNode): Planned {
    const range = this.plan(node.range);
    const init = this.plan(node.init);
    const base = this.#slots.size;
    const names = [node.accumulator, node.variable];
    if (node.second !== undefined) names.push(node.second);
    const slots = new Map(this.#slots);
    names.forEach((name, index) => {
      slots.set(name, base + index);
    });
    // A name that hides another leaves a hole: slots are told by count, so fill it.
    while (slots.size < base + names.length) slots.set(`#${slots.size}`, slots.size);
    const makes = node.init.kind === "list" || node.init.kind === "map";
    const owned = new Set([...this.#owned].filter((name) => name !== node.variable));
    if (makes) owned.add(node.accumulator);
    const inner = new Planner(this.checked, slots, owned);
    const fold = {
      condition: inner.plan(node.condition),
      step: inner.plan(node.step).run,
      result: inner.plan(node.result).run,
      accumulator: base,
      two: node.second !== undefined,
      isEmptyRange: range.constant instanceof ArrayList && range.constant.size === 0,
      make: initial(node, init),
    };
    const bind = fold.isEmptyRange;
    const run = (frame: Frame) => {
      if (bind) return runBind(frame, init.run, fold.result, base);
      return runFold(frame, range.run(frame), fold);
    };
    return { run };
  }
}

/** Starts a fold: a list or map of its own, which its steps add to. */
function initial({ init }: ComprehensionNode, planned: Planned): Run {
  if (init.kind === "list" && init.items.length === 0) return () => new ArrayList([]);
  if (init.kind === "map" && init.entries.length === 0) return () => new ValueMap();
  return planned.run;
}

interface Fold {
  readonly condition: Planned;
  readonly step: Run;
  readonly result: Run;
  /** The slot of the accumulator; the variables' follow it. */
  readonly accumulator: number;
  readonly two: boolean;
  readonly make: Run;
}

function runBind(frame: Frame, init: Run, result: Run, slot: number): CelValue {
  frame.slots[slot] = init(frame);
  return result(frame);
}

function runFold(frame: Frame, range: CelValue, fold: Fold): CelValue {
  const { slots } = frame;
  const { accumulator } = fold;
  slots[accumulator] = fold.make(frame);
  if (range instanceof CelList) {
    for (let index = 0; index < range.size; index++) {
      if (fold.two) slots[accumulator + 1] = BigInt(index);
      slots[accumulator + (fold.two ? 2 : 1)] = range.at(index);
      if (!advance(frame, fold)) break;
    }
  } else if (range instanceof CelMap) {
    for (const key of range.keys()) {
      slots[accumulator + 1] = key;
      if (fold.two) slots[accumulator + 2] = range.get(key) ?? null;
      if (!advance(frame, fold)) break;
    }
  } else {
    throw new CelError(`got '${goTypeName(range)}', expected iterable type`);
  }
  return fold.result(frame);
}

const GO_TYPES: Readonly<Record<string, string>> = {
  bigint: "types.Int",
  number: "types.Double",
  string: "types.String",
  boolean: "types.Bool",
};

/** What upstream's message calls the type of a value that can not be iterated. */
function goTypeName(value: CelValue): string {
  if (value === null) return "types.Null";
  return GO_TYPES[typeof value] ?? typeNameOf(value);
}

/** One step of a fold; false when it need not go on. An error is kept: a later step may absorb it. */
function advance(frame: Frame, fold: Fold): boolean {
  const { slots } = frame;
  const always = fold.condition.constant === true;
  if (!always && fold.condition.run(frame) !== true) return false;
  try {
    slots[fold.accumulator] = fold.step(frame);
    return true;
  } catch (thrown) {
    if (!(thrown instanceof CelError) || thrown.fatal) throw thrown;
    slots[fold.accumulator] = thrown;
    return !always;
  }
}

function notOptional(what: string, value: CelValue): CelError {
  return new CelError(
    `cannot initialize optional ${what} from non-optional value ${String(value)}`,
  );
}
