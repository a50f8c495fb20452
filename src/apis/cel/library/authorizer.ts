/**
 * Questions to the authorizer: authorizer.group("").resource("pods").check("get").allowed().
 * An authorizer may answer later. Then the call throws PendingDecision, the evaluation is begun
 * again once it is settled, and the same question then has its answer: expressions have no effects
 * and may ask two questions at most by their cost, so this is cheap and bounded.
 * Upstream: apiserver/pkg/cel/library/authz.go.
 */
import {
  nameIsDNSLabel,
  nameIsDNSSubdomain,
} from "../../../apimachinery/validation/object-meta.ts";
import { type Implementation, member, type Overload } from "../environment.ts";
import { BOOL, type ObjectType, receiverType, STRING } from "../types.ts";
import { CelError, CelOpaque, type CelValue, noOverload } from "../values.ts";
import { textArgument as text } from "./conversions.ts";

export const AUTHORIZER_TYPE = receiverType("kubernetes.authorization.Authorizer");
const PATH_TYPE = receiverType("kubernetes.authorization.PathCheck");
const GROUP_TYPE = receiverType("kubernetes.authorization.GroupCheck");
export const RESOURCE_CHECK_TYPE = receiverType("kubernetes.authorization.ResourceCheck");
const DECISION_TYPE = receiverType("kubernetes.authorization.Decision");

/** What is asked; without `serviceAccount` it is asked for the request's user. */
export interface AuthorizerQuestion {
  readonly verb: string;
  readonly serviceAccount: { readonly namespace: string; readonly name: string } | undefined;
  /** A path that is no resource's; all else is empty then. */
  readonly path: string | undefined;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly fieldSelector: string;
  readonly labelSelector: string;
}

export interface AuthorizerAnswer {
  readonly allowed: boolean;
  readonly reason: string;
  /** The authorizer's error, or undefined. */
  readonly error: string | undefined;
}

/** Answers at once or later. */
export type AskAuthorizer = (
  question: AuthorizerQuestion,
) => AuthorizerAnswer | Promise<AuthorizerAnswer>;

/** Thrown where an answer is not there yet; `settled` fulfils when it is. */
export class PendingDecision extends Error {
  readonly settled: Promise<unknown>;
  constructor(settled: Promise<unknown>) {
    super("a decision is pending");
    this.settled = settled;
  }
}

/** The answers of one evaluation, by question. */
class Decisions {
  readonly #ask: AskAuthorizer;
  readonly #answers = new Map<string, AuthorizerAnswer>();
  constructor(ask: AskAuthorizer) {
    this.#ask = ask;
  }
  answer(question: AuthorizerQuestion): AuthorizerAnswer {
    const key = JSON.stringify(question);
    const known = this.#answers.get(key);
    if (known !== undefined) return known;
    const answer = this.#ask(question);
    if (answer instanceof Promise) {
      throw new PendingDecision(answer.then((found) => this.#answers.set(key, found)));
    }
    this.#answers.set(key, answer);
    return answer;
  }
}

class Check extends CelOpaque {
  readonly type: ObjectType;
  readonly decisions: Decisions;
  readonly question: AuthorizerQuestion;
  constructor(type: ObjectType, decisions: Decisions, question: AuthorizerQuestion) {
    super();
    this.type = type;
    this.decisions = decisions;
    this.question = question;
  }
  equals(other: CelOpaque): boolean {
    if (!(other instanceof Check) || other.type !== this.type) return false;
    return JSON.stringify(other.question) === JSON.stringify(this.question);
  }
  with(type: ObjectType, change: Partial<AuthorizerQuestion>): Check {
    return new Check(type, this.decisions, { ...this.question, ...change });
  }
}

class Decision extends CelOpaque {
  readonly type = DECISION_TYPE;
  readonly answer: AuthorizerAnswer;
  constructor(answer: AuthorizerAnswer) {
    super();
    this.answer = answer;
  }
  equals(other: CelOpaque): boolean {
    return other === this;
  }
}

const NOTHING: AuthorizerQuestion = {
  verb: "",
  serviceAccount: undefined,
  path: undefined,
  group: "",
  resource: "",
  subresource: "",
  namespace: "",
  name: "",
  fieldSelector: "",
  labelSelector: "",
};

/** The variable `authorizer` of one evaluation. */
export function authorizerValue(ask: AskAuthorizer): CelValue {
  return new Check(AUTHORIZER_TYPE, new Decisions(ask), NOTHING);
}

/** The variable `authorizer.requestResource`: a check about the request's own resource. */
export function requestResourceValue(
  authorizer: CelValue,
  resource: Pick<AuthorizerQuestion, "group" | "resource" | "subresource" | "namespace" | "name">,
): CelValue {
  return checkOf(authorizer).with(RESOURCE_CHECK_TYPE, resource);
}

function checkOf(value: CelValue): Check {
  if (value instanceof Check) return value;
  throw noOverload();
}

/** A builder: sets one part of the question. */
function part(
  name: keyof AuthorizerQuestion,
  [from, to]: readonly [ObjectType, ObjectType],
  id: string,
  required = false,
): readonly Overload[] {
  const call: Implementation = (check, value) => {
    const given = text(value);
    if (required && given.trim() === "") throw new CelError(`${name} must not be empty`);
    return checkOf(check).with(to, { [name]: given });
  };
  return [member(id, [from, STRING], to, call)];
}

function serviceAccount(check: CelValue, namespace: CelValue, name: CelValue): CelValue {
  const account = { namespace: text(namespace), name: text(name) };
  if (nameIsDNSSubdomain(account.name, false).length > 0) {
    throw new CelError("Invalid service account name");
  }
  if (nameIsDNSLabel(account.namespace, false).length > 0) {
    throw new CelError("Invalid service account namespace");
  }
  return checkOf(check).with(AUTHORIZER_TYPE, { serviceAccount: account });
}

function ask(check: CelValue, verb: CelValue): CelValue {
  const { decisions, question } = checkOf(check);
  return new Decision(decisions.answer({ ...question, verb: text(verb) }));
}

function told(name: string, id: string, take: (answer: AuthorizerAnswer) => string | boolean) {
  const call: Implementation = (value) => {
    if (value instanceof Decision) return take(value.answer);
    throw noOverload();
  };
  const isText = name === "error" || name === "reason";
  return [name, [member(id, [DECISION_TYPE], isText ? STRING : BOOL, call)]] as const;
}

const RESOURCE = [RESOURCE_CHECK_TYPE, RESOURCE_CHECK_TYPE] as const;

export const AUTHORIZER: readonly (readonly [string, readonly Overload[]])[] = [
  ["path", part("path", [AUTHORIZER_TYPE, PATH_TYPE], "authorizer_path", true)],
  ["group", part("group", [AUTHORIZER_TYPE, GROUP_TYPE], "authorizer_group")],
  [
    "serviceAccount",
    [
      member(
        "authorizer_serviceaccount",
        [AUTHORIZER_TYPE, STRING, STRING],
        AUTHORIZER_TYPE,
        serviceAccount,
      ),
    ],
  ],
  ["resource", part("resource", [GROUP_TYPE, RESOURCE_CHECK_TYPE], "groupcheck_resource", true)],
  ["subresource", part("subresource", RESOURCE, "resourcecheck_subresource")],
  ["namespace", part("namespace", RESOURCE, "resourcecheck_namespace")],
  ["name", part("name", RESOURCE, "resourcecheck_name")],
  ["fieldSelector", part("fieldSelector", RESOURCE, "authorizer_fieldselector")],
  ["labelSelector", part("labelSelector", RESOURCE, "authorizer_labelselector")],
  [
    "check",
    [
      member("pathcheck_check", [PATH_TYPE, STRING], DECISION_TYPE, ask),
      member("resourcecheck_check", [RESOURCE_CHECK_TYPE, STRING], DECISION_TYPE, ask),
    ],
  ],
  told("errored", "decision_errored", ({ error }) => error !== undefined),
  told("error", "decision_error", ({ error }) => error ?? ""),
  told("allowed", "decision_allowed", ({ allowed }) => allowed),
  told("reason", "decision_reason", ({ reason }) => reason),
];
