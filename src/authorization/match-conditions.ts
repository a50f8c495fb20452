/**
 * Which questions a webhook is asked: expressions over the SubjectAccessReview's spec.
 * Upstream: apiserver/pkg/authorization/cel.
 */
import { type CelProgram, compileCel, resultProblem } from "../apis/cel/compile.ts";
import {
  type CelType,
  listOf,
  mapOf,
  type ObjectType,
  objectType,
  STRING,
} from "../apis/cel/types.ts";
import { CelError } from "../apis/cel/values.ts";
import { wrapJson } from "../apis/cel/wrap.ts";

export interface MatchCondition {
  readonly text: string;
  readonly program: CelProgram;
}

function texts(...fields: readonly string[]): Readonly<Record<string, CelType>> {
  return Object.fromEntries(fields.map((field) => [field, STRING]));
}

function selectorType(name: string): ObjectType {
  const requirements = objectType("kubernetes.SelectorRequirement", {
    ...texts("key", "operator"),
    values: listOf(STRING),
  });
  return objectType(name, { rawSelector: STRING, requirements: listOf(requirements) });
}

const SPEC_TYPE = objectType("kubernetes.SubjectAccessReviewSpec", {
  resourceAttributes: objectType("kubernetes.ResourceAttributes", {
    ...texts("namespace", "verb", "group", "version", "resource", "subresource", "name"),
    fieldSelector: selectorType("kubernetes.FieldSelectorAttributes"),
    labelSelector: selectorType("kubernetes.LabelSelectorAttributes"),
  }),
  nonResourceAttributes: objectType("kubernetes.NonResourceAttributes", texts("path", "verb")),
  user: STRING,
  uid: STRING,
  groups: listOf(STRING),
  extra: mapOf(STRING, listOf(STRING)),
});

/** Compiles a condition, or tells what is wrong with it. */
export function compileMatchCondition(text: string): MatchCondition | { readonly problem: string } {
  const compiled = compileCel(text, { variables: new Map([["request", SPEC_TYPE]]) });
  const problem = compiled.problem ?? resultProblem(compiled.type, ["bool"]);
  if (problem !== undefined) return { problem };
  try {
    return { text, program: compiled.program() };
  } catch (thrown) {
    if (!(thrown instanceof CelError)) throw thrown;
    return { problem: `program instantiation failed: ${thrown.message}` };
  }
}

/** Whether all hold. One that does not hold decides, whatever others fail; else a text says why. */
export function matchConditions(
  conditions: readonly MatchCondition[],
  spec: object,
): boolean | { readonly failed: string } {
  if (conditions.length === 0) return true;
  const request = wrapJson(spec, SPEC_TYPE);
  const failures: string[] = [];
  for (const { text, program } of conditions) {
    const { value } = program.run((name) => (name === "request" ? request : undefined));
    if (value === false) return false;
    if (value instanceof CelError) {
      failures.push(
        `cel evaluation error: expression '${text}' resulted in error: ${value.message}`,
      );
    }
  }
  return failures.length === 0 || { failed: failures.join(", ") };
}
