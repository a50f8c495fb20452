/**
 * Fields and elements: a.b, a[b], a.?b, a[?b], has(a.b). A chain from a variable on costs one a
 * link. Upstream: cel-go interpreter/attributes.go.
 */

import { type Frame, type Planned, uncharged } from "./frame.ts";
import { find } from "./library/operators.ts";
import { CelError, CelList, CelMap, CelOptional, type CelValue, noOverload } from "./values.ts";

/** A link of a chain costs one; the first link behind what is no chain begins one. */
function linkCost(operand: Planned): number {
  return operand.attribute === undefined ? 2 : 1;
}

function text(key: CelValue): string {
  return typeof key === "object" ? "" : String(key);
}

function missing(container: CelValue, key: CelValue): CelError {
  if (container instanceof CelList) return new CelError(`index out of bounds: ${text(key)}`);
  return new CelError(`no such key: ${text(key)}`);
}

/** The element; an optional's element is an optional. Throws CelError when it is not there. */
function elementOf(container: CelValue, key: CelValue): CelValue {
  if (container instanceof CelOptional) return optionalElement(container, key);
  const found = find(container, key);
  if (found === undefined) throw missing(container, key);
  return found;
}

function optionalElement(container: CelValue, key: CelValue): CelOptional {
  const inside = container instanceof CelOptional ? container.value : container;
  if (inside === undefined) return CelOptional.none;
  const found = find(inside, key);
  return found === undefined ? CelOptional.none : new CelOptional(found);
}

/** operand.field */
export function planMember(operand: Planned, field: string): Planned {
  const cost = linkCost(operand);
  const run = (frame: Frame) => {
    const value = operand.run(frame);
    frame.charge(cost);
    if (value instanceof CelMap) {
      const found = value.get(field);
      if (found === undefined) throw missing(value, field);
      return found;
    }
    if (value instanceof CelOptional) return optionalElement(value, field);
    throw value === null ? missing(value, field) : noOverload();
  };
  return { run, attribute: operand.attribute ?? "charged" };
}

/** has(operand.field): free of charge itself, as upstream keeps it. */
export function planTest(operand: Planned, field: string): Planned {
  const run = (frame: Frame) => {
    const value = operand.run(frame);
    const inside = value instanceof CelOptional ? value.value : value;
    if (inside === undefined || inside === null) return false;
    if (!(inside instanceof CelMap)) throw noOverload();
    return inside.get(field) !== undefined;
  };
  return { run };
}

/** operand[key] */
export function planIndex(operand: Planned, key: Planned): Planned {
  const cost = linkCost(operand);
  const keyOf = uncharged(key);
  const run = (frame: Frame) => {
    const value = operand.run(frame);
    const at = keyOf(frame);
    frame.charge(cost);
    return elementOf(value, at);
  };
  return { run, attribute: operand.attribute ?? "charged" };
}

/** operand.?key and operand[?key] */
export function planOptional(operand: Planned, key: Planned): Planned {
  const cost = linkCost(operand);
  const keyOf = uncharged(key);
  const run = (frame: Frame) => {
    const value = operand.run(frame);
    const at = keyOf(frame);
    const found = optionalElement(value, at);
    frame.charge(found.value === undefined ? cost - 1 : cost);
    return found;
  };
  return { run, attribute: operand.attribute ?? "charged" };
}
