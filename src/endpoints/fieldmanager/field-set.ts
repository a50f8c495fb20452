/**
 * A set of field paths: a trie of path elements, each of which may be a member, have children, or
 * both. It reads the JSON of a FieldsV1 level by level, as far as an operation looks into it, and
 * gives back the same JSON when nothing changed. Sets are immutable; only builders write.
 * Upstream: structured-merge-diff/fieldpath/set.go and serialize.go.
 */
import type { MergeType } from "./merge-type.ts";
import { canonicalElement, elementText, FieldsError, sortElements } from "./path-element.ts";
import { isMap, type Json, type JsonMap, put } from "./value.ts";

/** One element of a set. `children` is never an empty set. */
export interface SetNode {
  readonly member: boolean;
  readonly children: FieldSet | undefined;
}

export const LEAF: SetNode = { member: true, children: undefined };

/** Go's limit of JSON nesting bounds recursion here as well. */
const DEPTH_MAX = 2000;

/**
 * Objects made from one template own the same fields. Sets of what a write adds are therefore kept
 * once by content, and what was derived from one, its JSON above all, serves every such object.
 * Bounded: beyond INTERNED_MAX sets all are forgotten; larger sets are not kept.
 */
const INTERNED_MAX = 8_192;
export const INTERNED_KEY_MAX = 4_096;
const interned = new Map<string, FieldSet>();
let nextId = 1;
/** The sets of frozen JSON. */
const ofFrozen = new WeakMap<JsonMap, FieldSet>();

/** The last result of an operation: the other operand is mostly the same for all objects. */
interface Derived {
  readonly other: FieldSet;
  readonly result: FieldSet;
}

export class FieldSet {
  #raw: JsonMap | undefined;
  #entries: Map<string, SetNode> | undefined;
  /** Not 0: kept by content, and its JSON is frozen. */
  #id = 0;
  #difference: Derived | undefined;
  #recursiveDifference: Derived | undefined;
  #union: Derived | undefined;

  static readonly empty: FieldSet = new FieldSet(undefined, new Map());

  private constructor(raw: JsonMap | undefined, entries: Map<string, SetNode> | undefined) {
    this.#raw = raw;
    this.#entries = entries;
  }

  /** The set of these entries, which the set then owns. */
  static of(entries: Map<string, SetNode>): FieldSet {
    return entries.size === 0 ? EMPTY : new FieldSet(undefined, entries);
  }

  /** As of, but equal sets are one object where their children are. */
  static internedOf(entries: Map<string, SetNode>): FieldSet {
    const key = keyOf(entries, (set) => set.#id);
    if (key === undefined) return FieldSet.of(entries);
    const known = interned.get(key);
    if (known !== undefined) return known;
    const set = FieldSet.of(entries);
    if (set.isEmpty) return set;
    if (interned.size >= INTERNED_MAX) interned.clear();
    set.#id = nextId++;
    interned.set(key, set);
    return set;
  }

  /** The set that internedOf keeps under a key, which SetDraft makes as well. */
  static known(key: string): FieldSet | undefined {
    return interned.get(key);
  }

  /** Not 0: the set is kept by content, and the number stands for it. */
  static idOf(set: FieldSet): number {
    return set.#id;
  }

  /** A set of paths, each a list of canonical elements. An empty path is no member of any set. */
  static ofPaths(...paths: readonly (readonly string[])[]): FieldSet {
    const builder = new FieldSetBuilder();
    for (const path of paths) builder.insert(path);
    return builder.build();
  }

  /**
   * The set of a FieldsV1 known to be canonical, such as one this server stored. Frozen JSON has
   * one set, however many objects hold it.
   */
  static trusted(raw: JsonMap): FieldSet {
    const known = ofFrozen.get(raw);
    if (known !== undefined) return known;
    for (const name in raw) if (name !== ".") return FieldSet.#ofTrusted(raw);
    return EMPTY;
  }

  static #ofTrusted(raw: JsonMap): FieldSet {
    const set = new FieldSet(raw, undefined);
    if (!Object.isFrozen(raw)) return set;
    set.#id = nextId++;
    ofFrozen.set(raw, set);
    return set;
  }

  /** What stands below an element in trusted JSON: a member, children, or both. */
  static trustedNode(raw: JsonMap): SetNode {
    const children = FieldSet.trusted(raw);
    return children.isEmpty ? LEAF : { member: Object.hasOwn(raw, "."), children };
  }

  /** The set of any FieldsV1. Throws FieldsError when it is malformed. */
  static decode(raw: Json): FieldSet {
    const { children } = decodeNode(raw, 0);
    return children ?? EMPTY;
  }

  static union(...sets: readonly FieldSet[]): FieldSet {
    return sets.reduce((all, set) => all.union(set), EMPTY);
  }

  get entries(): ReadonlyMap<string, SetNode> {
    this.#entries ??= readLevel(this.#raw ?? {});
    return this.#entries;
  }

  /** No other set is empty: every way to make one gives EMPTY instead. */
  get isEmpty(): boolean {
    return this === FieldSet.empty;
  }

  /** The number of members. */
  get size(): number {
    let count = 0;
    for (const { member, children } of this.entries.values()) {
      count += (member ? 1 : 0) + (children?.size ?? 0);
    }
    return count;
  }

  has(path: readonly string[]): boolean {
    let set: FieldSet | undefined = this;
    for (let i = 0; i < path.length - 1; i++) {
      set = set?.entries.get(path[i] ?? "")?.children;
    }
    const last = path[path.length - 1];
    return last !== undefined && set?.entries.get(last)?.member === true;
  }

  /** The paths below `element`, without it. */
  withPrefix(element: string): FieldSet {
    return this.entries.get(element)?.children ?? EMPTY;
  }

  equals(other: FieldSet): boolean {
    if (this === other) return true;
    if (this.entries.size !== other.entries.size) return false;
    for (const [element, node] of this.entries) {
      const theirs = other.entries.get(element);
      if (theirs === undefined || theirs.member !== node.member) return false;
      if ((node.children === undefined) !== (theirs.children === undefined)) return false;
      if (node.children && theirs.children && !node.children.equals(theirs.children)) return false;
    }
    return true;
  }

  /** Whether every member of this set is a member of `other`. */
  isWithin(other: FieldSet): boolean {
    if (this === other) return true;
    for (const [element, { member, children }] of this.entries) {
      const theirs = other.entries.get(element);
      if (theirs === undefined || (member && !theirs.member)) return false;
      if (children && !children.isWithin(theirs.children ?? FieldSet.empty)) return false;
    }
    return true;
  }

  union(other: FieldSet): FieldSet {
    if (other.isEmpty || other === this) return this;
    if (this.isEmpty) return other;
    if (this.#union?.other === other) return this.#union.result;
    const result = this.#joined(other);
    if (this.#id !== 0) this.#union = { other, result };
    return result;
  }

  #joined(other: FieldSet): FieldSet {
    const [large, small] = this.entries.size >= other.entries.size ? [this, other] : [other, this];
    let out: Map<string, SetNode> | undefined;
    for (const [element, node] of small.entries) {
      const theirs = large.entries.get(element);
      const joined = theirs === undefined ? node : joinNodes(theirs, node);
      if (joined === theirs) continue;
      out ??= new Map(large.entries);
      out.set(element, joined);
    }
    if (out === undefined) return large;
    return this.#id === 0 ? FieldSet.of(out) : FieldSet.internedOf(out);
  }

  intersection(other: FieldSet): FieldSet {
    if (this.isEmpty || other.isEmpty) return EMPTY;
    const [large, small] = this.entries.size >= other.entries.size ? [this, other] : [other, this];
    const out = new Map<string, SetNode>();
    for (const [element, node] of small.entries) {
      const theirs = large.entries.get(element);
      if (theirs === undefined) continue;
      const children =
        node.children && theirs.children ? node.children.intersection(theirs.children) : EMPTY;
      const common = nodeOf(node.member && theirs.member, children);
      if (common !== undefined) out.set(element, common);
    }
    return FieldSet.of(out);
  }

  /** The members of this set that are not in `other`; a parent does not take its children along. */
  difference(other: FieldSet): FieldSet {
    if (this.#difference?.other === other) return this.#difference.result;
    const result = this.#without(other, (node, theirs) => {
      const { children } = node;
      const left =
        children && theirs.children ? children.difference(theirs.children) : (children ?? EMPTY);
      return replaced(node, node.member && !theirs.member, left);
    });
    if (this.#id !== 0) this.#difference = { other, result };
    return result;
  }

  /** As difference, but a member of `other` takes everything below it along. */
  recursiveDifference(other: FieldSet): FieldSet {
    if (this.#recursiveDifference?.other === other) return this.#recursiveDifference.result;
    const result = this.#without(other, (node, theirs) => {
      if (theirs.member) return undefined;
      const { children } = node;
      const left =
        children && theirs.children
          ? children.recursiveDifference(theirs.children)
          : (children ?? EMPTY);
      return replaced(node, node.member, left);
    });
    if (this.#id !== 0) this.#recursiveDifference = { other, result };
    return result;
  }

  #without(
    other: FieldSet,
    subtract: (node: SetNode, theirs: SetNode) => SetNode | undefined,
  ): FieldSet {
    if (this.isEmpty || other.isEmpty) return this;
    const [few, many] = this.entries.size < other.entries.size ? [this, other] : [other, this];
    let out: Map<string, SetNode> | undefined;
    for (const element of few.entries.keys()) {
      if (!many.entries.has(element)) continue;
      const node = this.entries.get(element);
      const theirs = other.entries.get(element);
      if (node === undefined || theirs === undefined) continue;
      const left = subtract(node, theirs);
      if (left === node) continue;
      out ??= new Map(this.entries);
      if (left === undefined) out.delete(element);
      else out.set(element, left);
    }
    if (out === undefined) return this;
    return this.#id === 0 ? FieldSet.of(out) : FieldSet.internedOf(out);
  }

  /** The members that have no children. */
  leaves(): FieldSet {
    const out = new Map<string, SetNode>();
    for (const [element, { member, children }] of this.entries) {
      const node = children ? nodeOf(false, children.leaves()) : nodeOf(member, EMPTY);
      if (node !== undefined) out.set(element, node);
    }
    return FieldSet.of(out);
  }

  /** Adds the fields of structs that have members below them: `a` for `a.b.c`, never map keys. */
  ensureNamedFieldsAreMembers(type: MergeType | undefined): FieldSet {
    const out = new Map<string, SetNode>();
    for (const [element, node] of this.entries) {
      const { children } = node;
      if (children === undefined) {
        out.set(element, node);
        continue;
      }
      const field = element.charCodeAt(0) === 0x66 ? type?.map?.fields.get(element.slice(2)) : null;
      const childType =
        field === null ? (element.startsWith("k:") ? type?.list?.elem : undefined) : field?.type;
      const below = field === undefined ? type?.map?.elem : childType;
      const isMember = node.member || (field !== undefined && field !== null);
      out.set(element, {
        member: isMember,
        children: children.ensureNamedFieldsAreMembers(below),
      });
    }
    return FieldSet.of(out);
  }

  /** Calls `visitor` with every member's path: the members of a level first, then what is below. */
  visit(visitor: (path: readonly string[]) => void, prefix: readonly string[] = []): void {
    const elements = sortElements([...this.entries.keys()]);
    for (const element of elements) {
      if (this.entries.get(element)?.member === true) visitor([...prefix, element]);
    }
    for (const element of elements) {
      this.entries.get(element)?.children?.visit(visitor, [...prefix, element]);
    }
  }

  /** The JSON of a FieldsV1, in upstream's order. The caller must not write to it. */
  toFieldsV1(): JsonMap {
    if (this.#raw === undefined) {
      const raw = writeLevel(this.entries);
      this.#raw = this.#id === 0 ? raw : frozen(raw);
    }
    return this.#raw;
  }

  /** One path a line, for tests and logs. */
  toString(): string {
    const lines: string[] = [];
    this.visit((path) => {
      lines.push(pathText(path));
    });
    return lines.join("\n");
  }
}

export const EMPTY: FieldSet = FieldSet.empty;

/** The text of a path in messages: `.spec.containers[name="a"].image`. */
export function pathText(path: readonly string[]): string {
  return path.map(elementText).join("");
}

/** A text that is equal for equal entries only; undefined when it would be too long. */
function keyOf(
  entries: ReadonlyMap<string, SetNode>,
  idOf: (set: FieldSet) => number,
): string | undefined {
  let key = "";
  for (const [element, { member, children }] of entries) {
    const id = children === undefined ? 0 : idOf(children);
    if (children !== undefined && id === 0) return undefined;
    key += `${element.length}:${element}${member ? "+" : "-"}${id},`;
    if (key.length > INTERNED_KEY_MAX) return undefined;
  }
  return key;
}

/** JSON that many objects will share. Members are frozen one level down: deeper ones are already. */
function frozen(raw: JsonMap): JsonMap {
  for (const name in raw) Object.freeze(raw[name]);
  return Object.freeze(raw);
}

function nodeOf(member: boolean, children: FieldSet): SetNode | undefined {
  if (children.isEmpty) return member ? LEAF : undefined;
  return { member, children };
}

function replaced(node: SetNode, member: boolean, children: FieldSet): SetNode | undefined {
  if (member === node.member && children === (node.children ?? EMPTY)) return node;
  return nodeOf(member, children);
}

function joinNodes(one: SetNode, two: SetNode): SetNode {
  const { children: ours } = one;
  const children = ours && two.children ? ours.union(two.children) : (ours ?? two.children);
  const member = one.member || two.member;
  if (member === one.member && children === ours) return one;
  return children === undefined ? LEAF : { member, children };
}

/** One level of trusted JSON. An element is a member when it is empty or holds ".". */
function readLevel(raw: JsonMap): Map<string, SetNode> {
  const entries = new Map<string, SetNode>();
  for (const element of Object.keys(raw)) {
    if (element === ".") continue;
    const below = raw[element] as JsonMap;
    entries.set(element, FieldSet.trustedNode(below));
  }
  return entries;
}

/** Untrusted JSON: elements are made canonical, unknown ones dropped, malformed ones refused. */
function decodeNode(raw: Json, depth: number): SetNode {
  if (raw === null || raw === undefined) return LEAF;
  if (!isMap(raw)) throw new FieldsError("expect { or n");
  if (depth > DEPTH_MAX) throw new FieldsError("exceeded max depth");
  const builder = new Map<string, SetNode>();
  let member = false;
  for (const text of Object.keys(raw)) {
    if (text === ".") {
      member = true;
      continue;
    }
    const element = canonicalElement(text);
    if (element === undefined) continue;
    const node = decodeNode(raw[text], depth + 1);
    const known = builder.get(element);
    builder.set(element, known === undefined ? node : joinNodes(known, node));
  }
  return builder.size === 0 ? LEAF : { member, children: FieldSet.of(builder) };
}

function writeLevel(entries: ReadonlyMap<string, SetNode>): JsonMap {
  const out: JsonMap = {};
  for (const element of sortElements([...entries.keys()])) {
    const node = entries.get(element);
    if (node === undefined) continue;
    put(out, element, writeNode(node));
  }
  return out;
}

/** A leaf's JSON: one object for all of them, which nobody can write to. */
const LEAF_JSON: JsonMap = Object.freeze({});

function writeNode({ member, children }: SetNode): JsonMap {
  if (children === undefined) return LEAF_JSON;
  const below = children.toFieldsV1();
  const holdsSelf = Object.hasOwn(below, ".");
  if (member === holdsSelf) return below;
  if (member) return { ".": LEAF_JSON, ...below };
  const { ".": _self, ...rest } = below;
  return rest;
}

interface BuildingNode {
  member: boolean;
  children: Map<string, BuildingNode> | undefined;
  /** A finished subtree; never together with `children` below it. */
  grafted: FieldSet | undefined;
}

/** Collects paths, then gives the set. */
export class FieldSetBuilder {
  readonly #root: BuildingNode = { member: false, children: undefined, grafted: undefined };

  get isEmpty(): boolean {
    return this.#root.children === undefined;
  }

  insert(path: readonly string[]): void {
    if (path.length > 0) this.#descend(path).member = true;
  }

  /** Adds a finished node at `path`: its membership and everything below it. */
  graft(path: readonly string[], { member, children }: SetNode): void {
    if (path.length === 0) {
      for (const [element, node] of children?.entries ?? []) this.graft([element], node);
      return;
    }
    const node = this.#descend(path);
    node.member ||= member;
    if (children) node.grafted = node.grafted ? node.grafted.union(children) : children;
  }

  #descend(path: readonly string[]): BuildingNode {
    let node = this.#root;
    for (const element of path) {
      node.children ??= new Map();
      let next = node.children.get(element);
      if (next === undefined) {
        next = { member: false, children: undefined, grafted: undefined };
        node.children.set(element, next);
      }
      node = next;
    }
    return node;
  }

  build(): FieldSet {
    return this.isEmpty ? EMPTY : buildChildren(this.#root);
  }
}

function buildChildren({ children, grafted }: BuildingNode): FieldSet {
  const out = new Map<string, SetNode>();
  for (const [element, node] of children ?? []) {
    const built = nodeOf(node.member, buildChildren(node));
    if (built !== undefined) out.set(element, built);
  }
  const set = FieldSet.internedOf(out);
  return grafted === undefined ? set : set.union(grafted);
}
