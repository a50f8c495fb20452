/**
 * Runs the x-kubernetes-validations of a schema over an object, within one budget.
 * Upstream: apiextensions-apiserver/pkg/apiserver/schema/cel/validation.go.
 */
import { isJsonObject, type JsonObject, type JsonValue } from "../../apimachinery/runtime/json.ts";
import { semanticDeepEqual } from "../../apimachinery/validation/equality.ts";
import {
  duplicate,
  type ErrorList,
  errorText,
  type FieldError,
  forbidden,
  invalid,
  OMITTED,
  Path,
  required,
} from "../../apimachinery/validation/field.ts";
import { type CelProgram, PER_CALL_LIMIT, RUNTIME_BUDGET } from "../cel/compile.ts";
import type { Activation } from "../cel/frame.ts";
import type { CelType } from "../cel/types.ts";
import { CelError, CelOptional } from "../cel/values.ts";
import { wrapJson } from "../cel/wrap.ts";
import { celTypeOf, checkRule, escapeProperty } from "./cel-types.ts";
import { oldItems } from "./list-values.ts";
import {
  additionalSchema,
  childSchemas,
  followFieldPath,
  isEmbedded,
  itemsSchema,
  type Schema,
} from "./schema.ts";
import type { ValidationRule } from "./v1/types.ts";

const MESSAGE_BYTES_MAX = 5 * 1024;
const OUT_OF_BUDGET =
  "validation failed due to running out of cost budget, no further validation rules will be run";

const withRules = new WeakMap<Schema, boolean>();

/** Whether there are rules anywhere in the schema; looked up once. */
export function hasRules(schema: Schema): boolean {
  let has = withRules.get(schema);
  if (has === undefined) {
    const own = schema["x-kubernetes-validations"] ?? [];
    has = own.length > 0 || childSchemas(schema).some(hasRules);
    withRules.set(schema, has);
  }
  return has;
}

interface CompiledRule {
  readonly rule: ValidationRule;
  readonly problem: string | undefined;
  readonly program: CelProgram | undefined;
  readonly message: CelProgram | undefined;
  readonly usesOldSelf: boolean;
  /** Below the node. */
  readonly fieldPath: string;
}

/** Mirrors the schema where there are rules. */
interface Node {
  readonly schema: Schema;
  readonly type: CelType | undefined;
  readonly rules: readonly CompiledRule[];
  readonly items: Node | undefined;
  readonly additional: Node | undefined;
  readonly properties: ReadonlyMap<string, Node>;
  readonly allOf: readonly Node[];
}

const compiled = new WeakMap<Schema, Node>();

/**
 * Errors of the rules. `old` undefined: the object is created. `addWarning` gets the errors that an
 * unchanged part of the object had before.
 */
export function validateRules(
  object: JsonObject,
  schema: Schema,
  old: JsonObject | undefined,
  addWarning?: (text: string) => void,
): ErrorList {
  let root = compiled.get(schema);
  if (root === undefined) {
    root = nodeOf(schema, schema, true);
    compiled.set(schema, root);
  }
  const run = new RuleRun(addWarning);
  run.node(root, object, old, undefined, old !== undefined, false);
  return run.errors;
}

/** The types are the spine's: rules below allOf stand beside it. */
function nodeOf(validations: Schema, spine: Schema, isResource: boolean): Node {
  const rules = validations["x-kubernetes-validations"] ?? [];
  const type = rules.length === 0 ? undefined : celTypeOf(spine, isResource);
  const properties = new Map<string, Node>();
  for (const [name, child] of Object.entries(validations.properties ?? {})) {
    const own = spine.properties?.[name];
    if (own === undefined || !hasRules(child)) continue;
    if (escapeProperty(name) === undefined && celTypeOf(own, isEmbedded(own)) === undefined)
      continue;
    properties.set(name, nodeOf(child, own, isEmbedded(own)));
  }
  const of = (part: (schema: Schema) => Schema | undefined): Node | undefined => {
    const [child, own] = [part(validations), part(spine)];
    if (child === undefined || own === undefined || !hasRules(child)) return undefined;
    return nodeOf(child, own, isEmbedded(own));
  };
  return {
    schema: spine,
    type,
    rules: rules.map((rule) => compiledRule(rule, type, spine)),
    items: of(itemsSchema),
    additional: of(additionalSchema),
    properties,
    allOf: (validations.allOf ?? []).filter(hasRules).map((one) => nodeOf(one, spine, isResource)),
  };
}

function compiledRule(
  rule: ValidationRule,
  type: CelType | undefined,
  schema: Schema,
): CompiledRule {
  const checked = checkRule(rule, type);
  const { usesOldSelf, ruleProblem } = checked;
  let problem = ruleProblem;
  let program: CelProgram | undefined;
  let message: CelProgram | undefined;
  try {
    if (problem === undefined) program = checked.rule.program();
    if (checked.messageProblem === undefined) message = checked.message?.program();
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    problem = error.message;
  }
  const followed = rule.fieldPath ? followFieldPath(rule.fieldPath, schema, true) : undefined;
  const fieldPath = followed !== undefined && "path" in followed ? followed.path : "";
  return { rule, problem, program, message, usesOldSelf, fieldPath };
}

/** One object's validation: the errors so far, and what is left of the budget. */
class RuleRun {
  readonly errors: FieldError[] = [];
  readonly #addWarning: ((text: string) => void) | undefined;
  #budget = RUNTIME_BUDGET;

  constructor(addWarning: ((text: string) => void) | undefined) {
    this.#addWarning = addWarning;
  }

  /** `isSame`: an outer part that is as it was holds this value, whatever it can be compared to. */
  node(
    node: Node,
    value: JsonValue | undefined,
    old: JsonValue | undefined,
    path: Path | undefined,
    hasOld: boolean,
    isInSame: boolean,
  ): void {
    if (value === null || value === undefined || this.#budget < 0) return;
    const isSame = isInSame || (hasOld && old !== undefined && semanticDeepEqual(value, old));
    this.#rules(node, value, old ?? undefined, path, isSame);
    for (const one of node.allOf) this.node(one, value, old, path, false, isInSame);
    if (Array.isArray(value)) {
      if (node.items === undefined) return;
      const before = oldItems(node.schema, old);
      for (const [i, item] of value.entries()) {
        const at = path === undefined ? Path.root(`[${i}]`) : path.index(i);
        this.node(node.items, item, before?.(item), at, hasOld, isSame);
      }
      return;
    }
    if (typeof value === "object") this.#map(node, value, old, path, hasOld, isSame);
  }

  #map(
    node: Node,
    value: JsonObject,
    old: JsonValue | undefined,
    path: Path | undefined,
    hasOld: boolean,
    isSame: boolean,
  ): void {
    const isCorrelatable = node.schema["x-kubernetes-map-type"] !== "atomic";
    const before = isCorrelatable && isJsonObject(old) ? old : undefined;
    for (const [name, member] of Object.entries(value)) {
      const own = node.properties.get(name);
      const of = own ?? (node.schema.properties === undefined ? node.additional : undefined);
      if (of === undefined) continue;
      const at =
        path === undefined
          ? Path.root(name)
          : own === undefined
            ? path.key(name)
            : path.child(name);
      const was = before !== undefined && Object.hasOwn(before, name) ? before[name] : undefined;
      this.node(of, member, was, at, hasOld, isSame);
    }
  }

  #rules(
    { rules, type, schema }: Node,
    value: JsonValue,
    old: JsonValue | undefined,
    path: Path | undefined,
    isSame: boolean,
  ): void {
    if (rules.length === 0) return;
    const at = path ?? "<nil>";
    const shown = typeof value === "object" ? OMITTED : value;
    // What could not be judged is shown by its type.
    const fail = (detail: string) => this.errors.push(invalid(at, schema.type ?? "", detail));
    for (const one of rules) {
      if (this.#budget <= 0) {
        fail(OUT_OF_BUDGET);
        this.#budget = -1;
        return;
      }
      if (one.problem !== undefined) fail(`rule compile error: ${one.problem}`);
      if (one.program === undefined) continue;
      const isOptional = one.rule.optionalOldSelf === true;
      if (one.usesOldSelf && old === undefined && !isOptional) continue;
      const variables = activation(value, old, type ?? { kind: "dyn" }, isOptional);
      const { value: result, cost } = one.program.run(variables, PER_CALL_LIMIT);
      const failure = this.#spent(cost, result, one.rule);
      if (failure !== undefined) fail(failure);
      else if (result !== true) {
        const isTolerated = isSame && !one.usesOldSelf;
        this.#report(one, { path, shown, isTolerated, variables });
      }
      if (this.#budget < 0) return;
    }
  }

  /** What went wrong with the run itself. */
  #spent(cost: number, result: unknown, rule: ValidationRule): string | undefined {
    const isFatal = result instanceof CelError && result.fatal;
    const text = ruleText(rule);
    if (!isFatal && cost > this.#budget) {
      this.#budget = -1;
      return OUT_OF_BUDGET;
    }
    this.#budget -= cost;
    if (!(result instanceof CelError)) return undefined;
    const { message } = result;
    if (isFatal) {
      this.#budget = -1;
      return `'${message}': no further validation rules will be run due to call cost exceeds limit for rule: ${text}`;
    }
    if (message.startsWith("no such overload")) {
      return `'${message}': call arguments did not match a supported operator, function or macro signature for rule: ${text}`;
    }
    return `${message} evaluating rule: ${text}`;
  }

  #report(
    one: CompiledRule,
    about: {
      readonly path: Path | undefined;
      readonly shown: unknown;
      readonly isTolerated: boolean;
      readonly variables: Activation;
    },
  ): void {
    const { path, shown, isTolerated, variables } = about;
    const at = fieldOf(path, one.fieldPath);
    const detail = this.#message(one, variables) ?? messageOf(one.rule);
    const error = errorFor(one.rule.reason, at, shown, detail);
    if (isTolerated) this.#addWarning?.(errorText(error));
    else this.errors.push(error);
  }

  #message({ message }: CompiledRule, variables: Activation): string | undefined {
    if (message === undefined) return undefined;
    const { value, cost } = message.run(variables, PER_CALL_LIMIT);
    if (cost > this.#budget) {
      this.#budget = -1;
      return "messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run";
    }
    this.#budget -= cost;
    if (typeof value !== "string") return undefined;
    const text = value.trim();
    const isUsable =
      text !== "" && !text.includes("\n") && Buffer.byteLength(text) <= MESSAGE_BYTES_MAX;
    return isUsable ? text : undefined;
  }
}

function fieldOf(path: Path | undefined, below: string): Path | string {
  if (below === "") return path ?? "<nil>";
  return path === undefined ? below : path.child(below);
}

function errorFor(
  reason: string | undefined,
  at: Path | string,
  value: unknown,
  detail: string,
): FieldError {
  switch (reason) {
    case "FieldValueForbidden":
      return forbidden(at, detail);
    case "FieldValueRequired":
      return required(at, detail);
    case "FieldValueDuplicate":
      return duplicate(at, value);
    default:
      return invalid(at, value, detail);
  }
}

function activation(
  value: JsonValue,
  old: JsonValue | undefined,
  type: CelType,
  isOptional: boolean,
): Activation {
  return (name) => {
    if (name === "self") return wrapJson(value, type);
    if (name !== "oldSelf") return undefined;
    const before = old === undefined ? undefined : wrapJson(old, type);
    if (!isOptional) return before;
    return before === undefined ? CelOptional.none : new CelOptional(before);
  };
}

function ruleText({ rule = "", message = "" }: ValidationRule): string {
  return (message === "" ? rule : message).trim();
}

function messageOf(rule: ValidationRule): string {
  const { message = "" } = rule;
  return message === "" ? `failed rule: ${ruleText(rule)}` : message.trim();
}
