/**
 * Webhooks of configurations, compiled, and the calls to them.
 * Upstream: apiserver/pkg/admission/plugin/webhook/{accessors,generic,request}.
 */
import { randomUUID } from "node:crypto";
import { badRequest, internalError, StatusError } from "../../apimachinery/api/errors.ts";
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import { quote } from "../../apimachinery/validation/field.ts";
import type {
  MutatingWebhook,
  ValidatingWebhook,
  WebhookClientConfig,
} from "../../apis/admissionregistration/v1/types.ts";
import type { CelValue } from "../../apis/cel/values.ts";
import { deny } from "../errors.ts";
import type { Listers } from "../plugin.ts";
import { activationOf, type VersionedRequest } from "./activation.ts";
import { MatchConditions } from "./expressions.ts";
import { type Criteria, criteriaOf, matchRequest, type Request } from "./rules.ts";
import type { VersionedKind, Versions } from "./versions.ts";

/** Calls a webhook: the AdmissionReview's JSON in, its answer out. Rejects with an Error. */
export type PostReview = (
  config: WebhookClientConfig,
  timeoutSeconds: number,
  body: string,
) => Promise<unknown>;

/** One webhook of a configuration. */
export interface Webhook {
  readonly configuration: string;
  readonly name: string;
  /** Unique among all webhooks of its kind. */
  readonly key: string;
  readonly spec: MutatingWebhook | ValidatingWebhook;
  readonly criteria: Criteria;
  readonly conditions: MatchConditions;
  readonly failsOpen: boolean;
  readonly timeoutSeconds: number;
}

interface Configuration extends KubeObject {
  readonly webhooks?: readonly (MutatingWebhook | ValidatingWebhook)[];
}

const TIMEOUT_SECONDS_DEFAULT = 10;

/** All webhooks of the configurations, in the order in which they are called. */
export function compileWebhooks(configurations: readonly KubeObject[]): readonly Webhook[] {
  return (configurations as readonly Configuration[]).flatMap((one) => {
    const configuration = one.metadata?.name ?? "";
    return (one.webhooks ?? []).map((spec, index): Webhook => {
      const { name = "" } = spec;
      return {
        configuration,
        name,
        key: `${configuration}/${name}/${index}`,
        spec,
        criteria: criteriaOf(spec, spec.rules ?? []),
        conditions: new MatchConditions(spec.matchConditions, false),
        failsOpen: spec.failurePolicy === "Ignore",
        timeoutSeconds: spec.timeoutSeconds ?? TIMEOUT_SECONDS_DEFAULT,
      };
    });
  });
}

/** The version a webhook wants the request in; undefined: it does not want it. */
export async function invocationOf(
  webhook: Webhook,
  request: Request,
  versioned: (target: VersionedKind) => VersionedRequest,
  around: {
    readonly versions: Versions;
    readonly listers: Listers;
    readonly authorizer: () => CelValue;
  },
): Promise<VersionedRequest | undefined> {
  const { criteria, conditions, failsOpen } = webhook;
  const target = await matchRequest(criteria, request, around.versions, around.listers);
  if (target === undefined) return undefined;
  const found = versioned(target);
  if (conditions.isEmpty) return found;
  const variables = activationOf(found, {
    params: null,
    namespaceObject: null,
    authorizer: around.authorizer(),
  });
  const matched = await conditions.match(variables);
  if (typeof matched === "boolean") return matched ? found : undefined;
  if (failsOpen) return undefined;
  throw deny(request, matched.failed);
}

/** A webhook could not be asked, or answered what can not be used. */
export class CallFailed extends Error {
  /** For metrics. */
  readonly code: number;
  constructor(webhook: Webhook, reason: string, code = 503) {
    super(`failed calling webhook ${quote(webhook.name)}: ${reason}`);
    this.code = code;
  }
}

/** What a webhook answered. */
export interface Verdict {
  readonly allowed: boolean;
  readonly patch: string | undefined;
  readonly status: Readonly<Record<string, unknown>>;
  readonly auditAnnotations: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
}

/**
 * Asks a webhook. Throws CallFailed, and StatusError for a dry run that the webhook does not take.
 */
export async function ask(
  webhook: Webhook,
  versioned: VersionedRequest,
  post: PostReview,
): Promise<Verdict> {
  const { spec, timeoutSeconds } = webhook;
  const { sideEffects = "", clientConfig = {}, admissionReviewVersions = ["v1"] } = spec;
  if (versioned.request.dryRun && !["None", "NoneOnDryRun"].includes(sideEffects)) {
    throw badRequest(`admission webhook ${quote(webhook.name)} does not support dry run`);
  }
  const version = admissionReviewVersions.find((one) => one === "v1" || one === "v1beta1");
  if (version === undefined) {
    const why = "webhook does not accept known AdmissionReview versions (v1, v1beta1)";
    throw new CallFailed(webhook, `could not create admission objects: ${why}`, 400);
  }
  const uid = randomUUID();
  const { object, oldObject } = versioned;
  const review = {
    kind: "AdmissionReview",
    apiVersion: `admission.k8s.io/${version}`,
    request: { uid, ...versioned.describe(), object, oldObject },
  };
  let answer: unknown;
  try {
    answer = await post(clientConfig, timeoutSeconds, JSON.stringify(review));
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new CallFailed(webhook, `failed to call webhook: ${why}`);
  }
  return verdictOf(webhook, answer, uid, version);
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function verdictOf(webhook: Webhook, answer: unknown, uid: string, version: string): Verdict {
  const invalid = (why: string) =>
    new CallFailed(webhook, `received invalid webhook response: ${why}`);
  const review = fieldsOf(answer);
  if (review["response"] === undefined) throw invalid("webhook response was absent");
  const response = fieldsOf(review["response"]);
  if (version === "v1") {
    const [kind, apiVersion] = [review["kind"], review["apiVersion"]];
    if (kind !== "AdmissionReview" || apiVersion !== "admission.k8s.io/v1") {
      const [, group = "", of = ""] = /^(?:(.*)\/)?(.*)$/.exec(String(apiVersion ?? "")) ?? [];
      const got = `${group}/${of}, Kind=${String(kind ?? "")}`;
      throw invalid(
        `expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got ${got}`,
      );
    }
    if (response["uid"] !== uid) {
      throw invalid(
        `expected response.uid=${quote(uid)}, got ${quote(String(response["uid"] ?? ""))}`,
      );
    }
  }
  const patch = typeof response["patch"] === "string" ? response["patch"] : undefined;
  const type = response["patchType"];
  if (version === "v1" && patch !== undefined && type === undefined) {
    throw invalid("webhook returned response.patch but not response.patchType");
  }
  if (version === "v1" && type !== undefined && patch === undefined) {
    throw invalid("webhook returned response.patchType but not response.patch");
  }
  const notes = Object.entries(fieldsOf(response["auditAnnotations"]));
  const warnings = response["warnings"];
  return {
    allowed: response["allowed"] === true,
    patch: patch === undefined ? undefined : Buffer.from(patch, "base64").toString("utf8"),
    status: fieldsOf(response["status"]),
    auditAnnotations: Object.fromEntries(notes.map(([key, value]) => [key, String(value)])),
    warnings: Array.isArray(warnings) ? warnings.map(String) : [],
  };
}

/** The answer to the client of a request that a webhook refused. */
export function refusal({ name }: Webhook, { status }: Verdict): StatusError {
  const by = `admission webhook ${quote(name)} denied the request`;
  const [message, reason] = [status["message"], status["reason"]].map((one) =>
    typeof one === "string" ? one : "",
  );
  const code = typeof status["code"] === "number" && status["code"] >= 400 ? status["code"] : 400;
  const told = message || reason;
  const text = told ? `${by}: ${told}` : `${by} without explanation`;
  const details = status["details"];
  return new StatusError(reason ?? "", text, {
    code,
    ...(details === undefined ? {} : { details: fieldsOf(details) }),
  });
}

/** Notes and warnings of an answer go to the request. */
export function publish({ name }: Webhook, verdict: Verdict, request: Request): void {
  for (const [key, value] of Object.entries(verdict.auditAnnotations)) {
    request.addAnnotation(`${name}/${key}`, value);
  }
  for (const warning of verdict.warnings) request.addWarning(warning);
}

/** A webhook that is needed could not be asked. */
export function unanswered(failure: CallFailed): StatusError {
  return internalError(failure.message);
}
