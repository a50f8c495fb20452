/**
 * MutatingAdmissionWebhook: asks webhooks one after the other and applies their patches.
 * Upstream: apiserver/pkg/admission/plugin/webhook/mutating.
 */
import { isDeepStrictEqual } from "node:util";
import { internalError, StatusError } from "../../apimachinery/api/errors.ts";
import { quote } from "../../apimachinery/validation/field.ts";
import type { MutatingWebhook } from "../../apis/admissionregistration/v1/types.ts";
import type { AdmissionPlugin, Attributes } from "../plugin.ts";
import { authorizerOf, VersionedRequest } from "./activation.ts";
import { Configured, registration } from "./configured.ts";
import { observeCall, observeFailOpen } from "./metrics.ts";
import { beginRound, endRound, reinvocationOf, requireAll } from "./reinvocation.ts";
import { type DynamicDependencies, once } from "./validating-webhook.ts";
import { become, isAdmissionConfiguration, type VersionedKind } from "./versions.ts";
import {
  ask,
  CallFailed,
  compileWebhooks,
  invocationOf,
  publish,
  refusal,
  unanswered,
  type Webhook,
} from "./webhook.ts";

const NAME = "MutatingAdmissionWebhook";
const AUDIT_PREFIX = "mutation.webhook.admission.k8s.io/";
const PATCH_PREFIX = "patch.webhook.admission.k8s.io/";

export function mutatingAdmissionWebhook(of: DynamicDependencies): AdmissionPlugin {
  const configured = new Configured(
    of.listers,
    [registration("mutatingwebhookconfigurations")],
    ([configurations = []]) => compileWebhooks(configurations),
  );
  const run = async (webhooks: readonly Webhook[], attributes: Attributes): Promise<void> => {
    const state = reinvocationOf(attributes);
    const round = beginRound(attributes, NAME);
    const authorizer = once(() => authorizerOf(of.mayUser, attributes.user));
    const versioned = (target: VersionedKind) =>
      new VersionedRequest(attributes, target, of.versions);
    for (const [index, webhook] of webhooks.entries()) {
      const found = await invocationOf(webhook, attributes, versioned, { ...of, authorizer });
      if (found === undefined || (state.again && !round.due.has(webhook.key))) continue;
      const place = `round_${state.again ? 1 : 0}_index_${index}`;
      const changed = await call(webhook, place, attributes, found, of);
      if (changed) {
        requireAll(round);
        state.wanted = true;
      }
      const { reinvocationPolicy } = webhook.spec as MutatingWebhook;
      if (reinvocationPolicy === "IfNeeded") round.ran.add(webhook.key);
    }
    endRound(attributes, round);
  };
  return {
    name: NAME,
    handles: (request) => !configured.isEmpty && !isAdmissionConfiguration(request),
    admit(attributes) {
      const webhooks = configured.current();
      if (webhooks instanceof Promise) return webhooks.then((all) => run(all, attributes));
      return run(webhooks, attributes);
    },
  };
}

/** Asks one webhook; whether it changed the object. Throws StatusError to refuse. */
async function call(
  webhook: Webhook,
  place: string,
  attributes: Attributes,
  versioned: VersionedRequest,
  of: DynamicDependencies,
): Promise<boolean> {
  const begun = performance.now();
  const observe = (rejected: boolean, code: number, failure?: string) =>
    observeCall(webhook.name, "admit", attributes.operation, {
      milliseconds: performance.now() - begun,
      rejected,
      code,
      ...(failure === undefined ? {} : { failure }),
    });
  const { configuration, name } = webhook;
  const note = (mutated: boolean) =>
    attributes.addAnnotation(
      AUDIT_PREFIX + place,
      JSON.stringify({ configuration, webhook: name, mutated }),
    );
  try {
    const verdict = await ask(webhook, versioned, of.post);
    publish(webhook, verdict, attributes);
    if (!verdict.allowed) {
      const error = refusal(webhook, verdict);
      note(false);
      observe(true, error.code, "no_error");
      throw error;
    }
    const changed = applyPatch(webhook, place, verdict.patch, attributes, versioned, of);
    note(changed);
    observe(false, 200);
    return changed;
  } catch (thrown) {
    if (!(thrown instanceof CallFailed)) throw thrown;
    observe(!webhook.failsOpen, thrown.code, "calling_webhook_error");
    note(false);
    if (!webhook.failsOpen) throw unanswered(thrown);
    observeFailOpen(name, "admit");
    attributes.addAnnotation(`failed-open.${AUDIT_PREFIX}${place}`, name);
    return false;
  }
}

function applyPatch(
  webhook: Webhook,
  place: string,
  patch: string | undefined,
  attributes: Attributes,
  versioned: VersionedRequest,
  { versions }: DynamicDependencies,
): boolean {
  if (patch === undefined || patch === "") return false;
  let operations: unknown;
  try {
    operations = JSON.parse(patch);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new CallFailed(webhook, `received undecodable patch in webhook response: ${why}`);
  }
  if (Array.isArray(operations) && operations.length === 0) return false;
  const { object } = versioned;
  if (object === null) {
    throw internalError(
      `admission webhook ${quote(webhook.name)} attempted to modify the object, which is not supported for this operation`,
    );
  }
  const next = patched(() => {
    const changed = versions.patch(object, patch);
    return versions.readBack(changed, versioned.target, attributes.subresource);
  });
  const changed = !isDeepStrictEqual(plainOf(next), plainOf(attributes.object));
  const { configuration, name } = webhook;
  attributes.addAnnotation(
    PATCH_PREFIX + place,
    JSON.stringify({ configuration, webhook: name, patch: operations, patchType: "JSONPatch" }),
  );
  if (changed) become(attributes.object, next);
  return changed;
}

/** A patch that does not apply, or gives what the type does not take, is the server's error. */
function patched<T>(make: () => T): T {
  try {
    return make();
  } catch (thrown) {
    if (thrown instanceof StatusError && thrown.code >= 500) throw thrown;
    throw internalError(thrown instanceof Error ? thrown.message : String(thrown));
  }
}

/** An object as JSON has it, without what is undefined. */
function plainOf(object: unknown): unknown {
  return JSON.parse(JSON.stringify(object));
}
