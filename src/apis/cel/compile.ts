/**
 * CEL as kube-apiserver has it: compile an expression once, run it with a budget.
 *
 *   const compiled = compileCel("object.spec.replicas <= 5", { variables: new Map([["object", DYN]]) });
 *   if (compiled.problem === undefined) {
 *     const program = compiled.program();           // may throw CelError
 *     const { value, cost } = program.run((name) => variables.get(name), PER_CALL_LIMIT);
 *   }
 *
 * Upstream: cel-go; apiserver/pkg/cel, apiserver/pkg/apis/cel/config.go.
 */
import type { CelNode } from "./ast.ts";
import { mentions } from "./ast.ts";
import { type Checked, check } from "./checker.ts";
import type { CelEnvironment } from "./environment.ts";
import { estimateCost } from "./estimate.ts";
import type { Estimate } from "./estimates.ts";
import { type Activation, Frame, type Run } from "./frame.ts";
import { type CelIssue, formatIssues } from "./lexer.ts";
import { PendingDecision } from "./library/authorizer.ts";
import { FUNCTIONS } from "./library/index.ts";
import { validateLiterals } from "./literal-validation.ts";
import { parseCel } from "./parser.ts";
import { Planner } from "./program.ts";
import { type CelType, DYN, outputText } from "./types.ts";
import { CelError, type CelValue } from "./values.ts";

/** The budget of one expression's run. */
export const PER_CALL_LIMIT = 1_000_000;
/** The budget of all expressions over one object, of one policy's binding or one resource. */
export const RUNTIME_BUDGET = 10_000_000;
/** The budget of the match conditions of one webhook or policy. */
export const MATCH_CONDITIONS_BUDGET = 2_500_000;

export interface CelResult {
  /** A CelError: the run failed, or passed its limit (then it is `fatal`). */
  readonly value: CelValue | CelError;
  readonly cost: number;
}

/** An expression ready to run; it has no state, so runs do not disturb each other. */
export class CelProgram {
  readonly #run: Run;
  constructor(run: Run) {
    this.#run = run;
  }

  /** Runs at once. Throws PendingDecision when an authorizer answers later: see settle. */
  run(variables: Activation, limit = PER_CALL_LIMIT): CelResult {
    const frame = new Frame(variables, limit);
    try {
      return { value: this.#run(frame), cost: frame.cost };
    } catch (thrown) {
      if (thrown instanceof CelError) return { value: thrown, cost: frame.cost };
      throw thrown;
    }
  }

  /** Runs, waiting for the authorizer where it answers later. */
  async settle(variables: Activation, limit = PER_CALL_LIMIT): Promise<CelResult> {
    for (;;) {
      try {
        return this.run(variables, limit);
      } catch (thrown) {
        if (!(thrown instanceof PendingDecision)) throw thrown;
        await thrown.settled;
      }
    }
  }
}

export interface CelCompilation {
  /** `compilation failed: ...`, or undefined. */
  readonly problem: string | undefined;
  readonly type: CelType;
  readonly tree: CelNode | undefined;
  /** Makes the expression ready to run. Throws CelError for a literal that can not be converted. */
  readonly program: () => CelProgram;
  /** The least and the most a run can cost, by the sizes the variables' types allow. */
  readonly estimate: () => Estimate;
}

/** Compiles `text`; never throws. */
export function compileCel(text: string, environment: CelEnvironment): CelCompilation {
  const parsed = parseCel(text, environment.bindings);
  if (!("kind" in parsed)) return failed(text, parsed, DYN, undefined);
  const checked = check(parsed, environment, FUNCTIONS);
  const issues = checked.issues.length > 0 ? checked.issues : validateLiterals(parsed, checked);
  if (issues.length > 0) return failed(text, issues, checked.type, parsed);
  return {
    problem: undefined,
    type: checked.type,
    tree: parsed,
    program: () => programOf(parsed, checked),
    estimate: () => estimateCost(parsed, checked, environment),
  };
}

function programOf(tree: CelNode, checked: Checked): CelProgram {
  return new CelProgram(new Planner(checked).plan(tree).run);
}

function failed(
  text: string,
  issues: readonly CelIssue[],
  type: CelType,
  tree: CelNode | undefined,
): CelCompilation {
  const inOrder = [...issues].sort((left, right) => left.at - right.at);
  const problem = `compilation failed: ${formatIssues(text, inOrder)}`;
  const refuse = (): never => {
    throw new CelError(problem);
  };
  return { problem, type, tree, program: refuse, estimate: refuse };
}

/** Whether an expression that parsed names the variable. */
export function usesVariable({ tree }: CelCompilation, name: string): boolean {
  return tree !== undefined && mentions(tree, name);
}

/** What a returned type must be: the text upstream gives, or undefined when it fits. */
export function resultProblem(type: CelType, allowed: readonly string[]): string | undefined {
  const got = outputText(type);
  if (allowed.includes("dyn") || allowed.includes(got)) return undefined;
  if (allowed.length === 1) return `must evaluate to ${allowed[0]} but got ${got}`;
  return `must evaluate to one of [${allowed.join(" ")}] but got ${got}`;
}
