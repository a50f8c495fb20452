/**
 * Expressions over one request, within one budget: match conditions, and what policies evaluate.
 * Upstream: apiserver/pkg/admission/plugin/cel/condition.go, webhook/matchconditions/matcher.go.
 */

import {
  compileExpression,
  type ExpressionScope,
} from "../../apis/admissionregistration/cel-environment.ts";
import type { MatchCondition } from "../../apis/admissionregistration/v1/types.ts";
import {
  type CelCompilation,
  type CelProgram,
  MATCH_CONDITIONS_BUDGET,
  PER_CALL_LIMIT,
} from "../../apis/cel/compile.ts";
import type { Activation } from "../../apis/cel/frame.ts";
import { CelError, type CelValue } from "../../apis/cel/values.ts";
import { aggregateTexts } from "../errors.ts";

/** What the expressions of one object may cost together. */
export class Budget {
  #left: number;
  constructor(budget: number) {
    this.#left = budget;
  }
  /** Throws OutOfBudget when it is spent. */
  spend(cost: number): void {
    this.#left -= cost;
    if (this.#left < 0) throw new OutOfBudget();
  }
}

export class OutOfBudget extends Error {
  constructor() {
    super(
      "validation failed due to running out of cost budget, no further validation rules will be run",
    );
  }
}

/** An expression ready to run, or what is wrong with it: objects of other servers may hold that. */
export interface Expression {
  readonly text: string;
  readonly compiled: CelCompilation;
  readonly program: CelProgram | undefined;
  readonly problem: string | undefined;
}

/** Compiles for running; never throws. */
export function expressionOf(text: string, scope: ExpressionScope): Expression {
  const compiled = compileExpression(text, scope);
  if (compiled.problem !== undefined) {
    return {
      text,
      compiled,
      program: undefined,
      problem: `compilation error: ${compiled.problem}`,
    };
  }
  try {
    return { text, compiled, program: compiled.program(), problem: undefined };
  } catch (thrown) {
    if (!(thrown instanceof CelError)) throw thrown;
    const problem = `compilation error: program instantiation failed: ${thrown.message}`;
    return { text, compiled, program: undefined, problem };
  }
}

/** A value, or the text of what went wrong. */
export type Evaluated = { readonly value: CelValue } | { readonly failed: string };

/** Runs one expression. Throws OutOfBudget. */
export async function evaluate(
  { text, program, problem }: Expression,
  variables: Activation,
  budget: Budget,
): Promise<Evaluated> {
  if (program === undefined) return { failed: problem ?? "" };
  const { value, cost } = await program.settle(variables, PER_CALL_LIMIT);
  budget.spend(cost);
  if (!(value instanceof CelError)) return { value };
  return { failed: `expression '${text}' resulted in error: ${value.message}` };
}

/** The conditions of a webhook or a policy. */
export class MatchConditions {
  readonly #conditions: readonly Expression[];
  constructor(conditions: readonly MatchCondition[] | undefined, params: boolean) {
    this.#conditions = (conditions ?? []).map(({ expression = "" }) =>
      expressionOf(expression.trim(), { params, authorizer: true }),
    );
  }

  get isEmpty(): boolean {
    return this.#conditions.length === 0;
  }

  /** Whether all hold. One that does not hold decides, whatever others fail. */
  async match(variables: Activation): Promise<boolean | { readonly failed: string }> {
    const budget = new Budget(MATCH_CONDITIONS_BUDGET);
    const failures: string[] = [];
    try {
      for (const condition of this.#conditions) {
        const result = await evaluate(condition, variables, budget);
        if ("failed" in result) failures.push(result.failed);
        else if (result.value === false) return false;
      }
    } catch (thrown) {
      if (!(thrown instanceof OutOfBudget)) throw thrown;
      return { failed: thrown.message };
    }
    return failures.length === 0 || { failed: aggregateTexts(failures) };
  }
}
