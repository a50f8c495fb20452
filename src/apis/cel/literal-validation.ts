/**
 * Literals that can be seen to be wrong before any run: durations, moments, patterns, formats, and
 * lists and maps of several types. Upstream: cel-go cel/validator.go, ext/formatting.go.
 */
import { type CallNode, type CelNode, children, type ListNode, type MapNode } from "./ast.ts";
import type { Checked } from "./checker.ts";
import type { CelIssue } from "./lexer.ts";
import { formatProblem } from "./library/format-text.ts";
import { compilePattern } from "./library/regex.ts";
import { parseDuration, parseTimestamp, timestampOf } from "./time.ts";
import { type CelType, DYN, insideOptional, runtimeName, sameType, typeText } from "./types.ts";
import { CelError } from "./values.ts";

/** What is wrong with literals of a tree that is otherwise correct. */
export function validateLiterals(root: CelNode, checked: Checked): readonly CelIssue[] {
  const validator = new Validator(checked);
  validator.visit(root, false);
  return validator.issues;
}

class Validator {
  readonly issues: CelIssue[] = [];
  readonly #seen = new Set<CelNode>();
  readonly #checked: Checked;
  constructor(checked: Checked) {
    this.#checked = checked;
  }

  /** `formatted`: the node is below an argument of format(), which takes all types. */
  visit(node: CelNode, formatted: boolean): void {
    if (this.#seen.has(node)) return;
    this.#seen.add(node);
    const isFormat = node.kind === "call" && node.name === "format";
    if (node.kind === "call") this.#call(node);
    if (node.kind === "list" && !formatted) this.#list(node);
    if (node.kind === "map" && !formatted) this.#map(node);
    for (const child of children(node)) this.visit(child, formatted || isFormat);
  }

  #type(node: CelNode): CelType {
    return this.#checked.types.get(node) ?? DYN;
  }

  #call(node: CallNode): void {
    const name = this.#checked.names.get(node) ?? node.name;
    if (name === "format") this.#format(node);
    const [argument] = node.args;
    if (argument?.kind !== "literal" || isValid(name, argument.value)) return;
    this.issues.push({ at: argument.at, message: `invalid ${name} argument` });
  }

  #differ(node: CelNode, wanted: CelType, found: CelType): boolean {
    if (sameType(wanted, found)) return false;
    const message = `expected type '${typeText(wanted)}' but found '${typeText(found)}'`;
    this.issues.push({ at: node.at, message });
    return true;
  }

  #list({ items, optional }: ListNode): void {
    let first: CelType | undefined;
    for (const [index, item] of items.entries()) {
      const type = this.#type(item);
      const found = optional.has(index) ? (insideOptional(type) ?? DYN) : type;
      if (first === undefined) first = found;
      else if (this.#differ(item, first, found)) return;
    }
  }

  #map({ entries }: MapNode): void {
    let first: readonly [CelType, CelType] | undefined;
    for (const { key, value, optional } of entries) {
      const type = this.#type(value);
      const found = optional ? (insideOptional(type) ?? DYN) : type;
      if (first === undefined) {
        first = [this.#type(key), found];
        continue;
      }
      this.#differ(key, first[0], this.#type(key));
      this.#differ(value, first[1], found);
    }
  }

  #format({ target, args: [list], at }: CallNode): void {
    if (target?.kind !== "literal" || typeof target.value !== "string") return;
    if (list?.kind !== "list") return;
    const names = list.items.map((item) => runtimeName(this.#type(item)));
    const problem = formatProblem(target.value, names);
    if (problem === undefined) return;
    const node = problem.argument === undefined ? undefined : list.items[problem.argument];
    this.issues.push({ at: node?.at ?? at, message: problem.message });
  }
}

function isValid(name: string, value: unknown): boolean {
  if (name === "matches") return typeof value !== "string" || !("problem" in compilePattern(value));
  try {
    if (name === "duration" && typeof value === "string") parseDuration(value);
    if (name === "timestamp" && typeof value === "string") parseTimestamp(value);
    if (name === "timestamp" && typeof value === "bigint") timestampOf(value * 1_000_000_000n);
    return true;
  } catch (thrown) {
    if (thrown instanceof CelError) return false;
    throw thrown;
  }
}
