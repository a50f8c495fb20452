/**
 * Expressions of an AuthenticationConfiguration: who a token's claims make its bearer, and whether
 * they are enough. Upstream: apiserver/pkg/authentication/cel, plugin token/oidc.
 */
import { type CelNode, children } from "../../apis/cel/ast.ts";
import { type CelCompilation, type CelProgram, compileCel } from "../../apis/cel/compile.ts";
import {
  type CelType,
  listOf,
  mapOf,
  objectType,
  outputText,
  STRING,
} from "../../apis/cel/types.ts";
import { ArrayList, CelError, CelList, CelMap, type CelValue } from "../../apis/cel/values.ts";
import { wrapJson } from "../../apis/cel/wrap.ts";
import type { UserInfo } from "../../request/user-info.ts";

const CLAIMS_TYPE = mapOf(STRING, { kind: "dyn", any: true });
const USER_TYPE = objectType("kubernetes.UserInfo", {
  username: STRING,
  uid: STRING,
  groups: listOf(STRING),
  extra: mapOf(STRING, listOf(STRING)),
});

/** An expression over the claims or the user. */
export interface IssuerExpression {
  readonly program: CelProgram;
  readonly tree: CelNode | undefined;
}

/** A rule that must hold, and what to say when it does not. */
export interface IssuerRule extends IssuerExpression {
  readonly text: string;
  readonly message: string;
}

/** Everything an issuer's configuration says in expressions. */
export interface IssuerExpressions {
  readonly username: IssuerExpression | undefined;
  readonly groups: IssuerExpression | undefined;
  readonly uid: IssuerExpression | undefined;
  readonly extra: readonly (readonly [key: string, expression: IssuerExpression])[];
  readonly claimRules: readonly IssuerRule[];
  readonly userRules: readonly IssuerRule[];
}

export const NO_EXPRESSIONS: IssuerExpressions = {
  username: undefined,
  groups: undefined,
  uid: undefined,
  extra: [],
  claimRules: [],
  userRules: [],
};

/**
 * Compiles an expression over `claims` or `user`. `results`: the types it may give; none: any.
 * Throws CelError with upstream's text.
 */
export function compileIssuerExpression(
  text: string,
  variable: "claims" | "user",
  results: readonly string[],
): IssuerExpression {
  const type: CelType = variable === "claims" ? CLAIMS_TYPE : USER_TYPE;
  const compiled: CelCompilation = compileCel(text, { variables: new Map([[variable, type]]) });
  if (compiled.problem !== undefined) throw new CelError(compiled.problem);
  if (results.length > 0 && !results.includes(outputText(compiled.type))) {
    const wanted = results.length === 1 ? results[0] : `one of [${results.join(" ")}]`;
    throw new CelError(`must evaluate to ${wanted}`);
  }
  return { program: compiled.program(), tree: compiled.tree };
}

/** Whether an expression looks at `claims.<name>`. */
export function looksAtClaim({ tree }: IssuerExpression, name: string): boolean {
  const looks = (node: CelNode): boolean => {
    const isClaim = node.kind === "select" && node.field === name && isClaims(node.operand);
    const [of, key] = node.kind === "call" ? node.args : [];
    const isIndex = isClaims(of) && key?.kind === "literal" && key.value === name;
    return isClaim || isIndex || children(node).some(looks);
  };
  return tree !== undefined && looks(tree);
}

function isClaims(node: CelNode | undefined): boolean {
  return node?.kind === "ident" && node.name === "claims";
}

/** Claims whose names are no identifiers are found by their escaped names too. */
class Claims extends CelMap {
  readonly #values: ReadonlyMap<string, CelValue>;
  constructor(claims: Readonly<Record<string, unknown>>) {
    super();
    const known = Object.entries(claims).map(([name, one]) => [name, claimValue(one)] as const);
    this.#values = new Map(known);
  }
  get size(): number {
    return this.#values.size;
  }
  keys(): Iterable<string> {
    return this.#values.keys();
  }
  get(key: CelValue): CelValue | undefined {
    if (typeof key !== "string") return undefined;
    return this.#values.get(key) ?? this.#values.get(unescaped(key));
  }
}

function unescaped(name: string): string {
  return name.replace(/__(dot|dash|slash|underscores)__/g, (one) => ESCAPES[one] ?? one);
}

const ESCAPES: Readonly<Record<string, string>> = {
  __dot__: ".",
  __dash__: "-",
  __slash__: "/",
  __underscores__: "__",
};

/** Numbers in claims are doubles, as Go decodes them. */
function claimValue(value: unknown): CelValue {
  if (Array.isArray(value)) return new ArrayList(value.map(claimValue));
  if (typeof value === "object" && value !== null) {
    return new Claims(value as Record<string, unknown>);
  }
  const isPlain =
    typeof value === "string" || typeof value === "number" || typeof value === "boolean";
  return isPlain ? value : null;
}

function run({ program }: IssuerExpression, variable: string, value: CelValue): CelValue {
  const result = program.run((name) => (name === variable ? value : undefined));
  if (result.value instanceof CelError) throw result.value;
  return result.value;
}

function textOf(value: CelValue, what: string): string {
  if (typeof value === "string") return value;
  throw new CelError(`${what} claim expression must return a string`);
}

/** Nothing, one text, or a list of texts; empty ones are left out. */
function textsOf(value: CelValue, what: string): readonly string[] {
  if (value === null || value === "") return [];
  if (typeof value === "string") return [value];
  if (!(value instanceof CelList)) {
    throw new CelError(`${what} claim expression must return a string or a list of strings`);
  }
  return [...value].flatMap((one) => textsOf(one instanceof CelList ? false : one, what));
}

/** Evaluates what an issuer says in expressions about one token. Throws an Error that says why not. */
export class ClaimEvaluation {
  readonly #expressions: IssuerExpressions;
  readonly #claims: CelValue;
  constructor(expressions: IssuerExpressions, claims: Readonly<Record<string, unknown>>) {
    this.#expressions = expressions;
    this.#claims = new Claims(claims);
  }

  /** Undefined: the configuration names a claim instead. */
  username(): string | undefined {
    const { username } = this.#expressions;
    if (username === undefined) return undefined;
    const name = textOf(run(username, "claims", this.#claims), "username");
    if (name === "") throw new Error("oidc: empty username via CEL expression is not allowed");
    return name;
  }

  groups(): readonly string[] | undefined {
    const { groups } = this.#expressions;
    return groups && textsOf(run(groups, "claims", this.#claims), "groups");
  }

  uid(): string | undefined {
    const { uid } = this.#expressions;
    return uid && textOf(run(uid, "claims", this.#claims), "uid");
  }

  /** Keys without a value are left out. */
  extra(): Record<string, readonly string[]> {
    const found = this.#expressions.extra.map(([key, expression]) => {
      return [key, textsOf(run(expression, "claims", this.#claims), "extra")] as const;
    });
    return Object.fromEntries(found.filter(([, values]) => values.length > 0));
  }

  checkClaims(): void {
    for (const rule of this.#expressions.claimRules) check(rule, "claims", this.#claims);
  }

  checkUser({ name, uid, groups, extra }: UserInfo): void {
    if (this.#expressions.userRules.length === 0) return;
    const user = wrapJson({ username: name, uid, groups, extra }, USER_TYPE);
    for (const rule of this.#expressions.userRules) check(rule, "user", user);
  }
}

function check(rule: IssuerRule, variable: "claims" | "user", value: CelValue): void {
  const holds = run(rule, variable, value);
  if (holds === true) return;
  if (holds !== false) throw new Error("oidc: validation expression must return a boolean");
  const why = rule.message === "" ? "" : `: ${rule.message}`;
  throw new Error(`oidc: validation expression '${rule.text}' failed${why}`);
}
