/**
 * ValidatingAdmissionWebhook: asks all webhooks at once.
 * Upstream: apiserver/pkg/admission/plugin/webhook/validating.
 */
import type { AdmissionPlugin, Listers, MayUser } from "../plugin.ts";
import { authorizerOf, VersionedRequest } from "./activation.ts";
import { Configured, registration } from "./configured.ts";
import { observeCall, observeFailOpen } from "./metrics.ts";
import type { Request } from "./rules.ts";
import { isAdmissionConfiguration, type VersionedKind, type Versions } from "./versions.ts";
import {
  ask,
  CallFailed,
  compileWebhooks,
  invocationOf,
  type PostReview,
  publish,
  refusal,
  unanswered,
  type Webhook,
} from "./webhook.ts";

/** What dynamic admission needs of the server. */
export interface DynamicDependencies {
  readonly listers: Listers;
  readonly versions: Versions;
  readonly mayUser: MayUser;
  readonly post: PostReview;
}

export function validatingAdmissionWebhook(of: DynamicDependencies): AdmissionPlugin {
  const configured = new Configured(
    of.listers,
    [registration("validatingwebhookconfigurations")],
    ([configurations = []]) => compileWebhooks(configurations),
  );
  const run = async (webhooks: readonly Webhook[], request: Request): Promise<void> => {
    const seen = new Map<string, VersionedRequest>();
    const versioned = (target: VersionedKind) => {
      const key = `${target.kind.group}/${target.kind.version}/${target.kind.kind}`;
      const known = seen.get(key) ?? new VersionedRequest(request, target, of.versions);
      seen.set(key, known);
      return known;
    };
    const authorizer = once(() => authorizerOf(of.mayUser, request.user));
    const calls: (() => Promise<Error | undefined>)[] = [];
    for (const [index, webhook] of webhooks.entries()) {
      const found = await invocationOf(webhook, request, versioned, { ...of, authorizer });
      if (found !== undefined) calls.push(() => call(webhook, index, found, of.post));
    }
    const errors = await Promise.all(calls.map((one) => one()));
    const first = errors.find((error) => error !== undefined);
    if (first !== undefined) throw first;
  };
  return {
    name: "ValidatingAdmissionWebhook",
    handles: (request) => !configured.isEmpty && !isAdmissionConfiguration(request),
    validate(request) {
      const webhooks = configured.current();
      if (webhooks instanceof Promise) return webhooks.then((all) => run(all, request));
      return run(webhooks, request);
    },
  };
}

/** Makes a value when it is first asked for. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** The error to refuse with, or undefined. */
async function call(
  webhook: Webhook,
  index: number,
  versioned: VersionedRequest,
  post: PostReview,
): Promise<Error | undefined> {
  const { request } = versioned;
  const begun = performance.now();
  const observe = (rejected: boolean, code: number, failure?: string) =>
    observeCall(webhook.name, "validating", request.operation, {
      milliseconds: performance.now() - begun,
      rejected,
      code,
      ...(failure === undefined ? {} : { failure }),
    });
  try {
    const verdict = await ask(webhook, versioned, post);
    publish(webhook, verdict, request);
    if (verdict.allowed) {
      observe(false, 200);
      return undefined;
    }
    const error = refusal(webhook, verdict);
    observe(true, error.code, "no_error");
    return error;
  } catch (thrown) {
    if (!(thrown instanceof CallFailed)) {
      observe(true, 0, "apiserver_internal_error");
      return thrown as Error;
    }
    observe(!webhook.failsOpen, thrown.code, "calling_webhook_error");
    if (!webhook.failsOpen) return unanswered(thrown);
    observeFailOpen(webhook.name, "validating");
    const key = `failed-open.validating.webhook.admission.k8s.io/round_0_index_${index}`;
    request.addAnnotation(key, webhook.name);
    return undefined;
  }
}
