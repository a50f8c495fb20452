/**
 * The tree of a CEL expression, macros expanded. Upstream: cel-go common/ast.
 */
import type { CelUint } from "./values.ts";

/** The value of a literal: int is a bigint, double a number. */
export type Literal = bigint | number | string | boolean | null | Uint8Array | CelUint;

/** A node; `at` is where cel-go places it: an operator's, a dot's or a parenthesis' position. */
export type CelNode =
  | { readonly kind: "literal"; readonly at: number; readonly value: Literal }
  | { readonly kind: "ident"; readonly at: number; readonly name: string }
  | SelectNode
  | CallNode
  | ListNode
  | MapNode
  | MessageNode
  | ComprehensionNode;

export interface SelectNode {
  readonly kind: "select";
  readonly at: number;
  readonly operand: CelNode;
  readonly field: string;
  /** `has(operand.field)`. */
  readonly test: boolean;
}

export interface CallNode {
  readonly kind: "call";
  readonly at: number;
  readonly name: string;
  readonly target: CelNode | undefined;
  readonly args: readonly CelNode[];
}

export interface ListNode {
  readonly kind: "list";
  readonly at: number;
  readonly items: readonly CelNode[];
  /** The places of `?item`. */
  readonly optional: ReadonlySet<number>;
}

export interface MapEntry {
  readonly at: number;
  readonly key: CelNode;
  readonly value: CelNode;
  readonly optional: boolean;
}

export interface MapNode {
  readonly kind: "map";
  readonly at: number;
  readonly entries: readonly MapEntry[];
}

export interface MessageField {
  readonly at: number;
  readonly name: string;
  readonly value: CelNode;
  readonly optional: boolean;
}

export interface MessageNode {
  readonly kind: "message";
  readonly at: number;
  readonly name: string;
  readonly fields: readonly MessageField[];
}

/** A fold over `range`: what all(), map() and their like become. */
export interface ComprehensionNode {
  readonly kind: "comprehension";
  readonly at: number;
  readonly range: CelNode;
  readonly variable: string;
  /** The second variable, of the forms over index and value, or key and value. */
  readonly second: string | undefined;
  readonly accumulator: string;
  readonly init: CelNode;
  readonly condition: CelNode;
  readonly step: CelNode;
  readonly result: CelNode;
}

/** The accumulator's name; no expression can write it. */
export const ACCUMULATOR = "@result";

/** `a.b.c` as written, or undefined when the node is more than names and dots. */
export function qualifiedName(node: CelNode): string | undefined {
  if (node.kind === "ident") return node.name;
  if (node.kind !== "select" || node.test) return undefined;
  const operand = qualifiedName(node.operand);
  return operand === undefined ? undefined : `${operand}.${node.field}`;
}

/** The nodes right below a node. */
export function children(node: CelNode): readonly CelNode[] {
  switch (node.kind) {
    case "literal":
    case "ident":
      return [];
    case "select":
      return [node.operand];
    case "call":
      return node.target === undefined ? node.args : [node.target, ...node.args];
    case "list":
      return node.items;
    case "map":
      return node.entries.flatMap(({ key, value }) => [key, value]);
    case "message":
      return node.fields.map(({ value }) => value);
    case "comprehension":
      return [node.range, node.init, node.condition, node.step, node.result];
  }
}

/** Whether the tree names the variable anywhere. */
export function mentions(node: CelNode, variable: string): boolean {
  if (node.kind === "ident") return node.name === variable;
  return children(node).some((child) => mentions(child, variable));
}
