/** Upstream: pkg/kubeapiserver/options/authorization.go. */
import { duration, string, strings } from "../flag-spec.ts";

export const authorizationFlags = {
  "authorization-config": string(
    "",
    "File with an AuthorizationConfiguration; excludes the other authorization flags.",
  ),
  "authorization-mode": strings(
    [],
    "Authorizers in order: AlwaysAllow, AlwaysDeny, ABAC, Webhook, RBAC, Node. Empty: AlwaysAllow with --etcd-servers, Node,RBAC with the embedded store.",
  ),
  "authorization-policy-file": string("", "JSON lines with the ABAC policy."),
  "authorization-webhook-cache-authorized-ttl": duration(
    "5m0s",
    "How long the webhook's yes holds.",
  ),
  "authorization-webhook-cache-unauthorized-ttl": duration("30s", "How long its no holds."),
  "authorization-webhook-config-file": string("", "kubeconfig of the authorization webhook."),
  "authorization-webhook-version": string("v1beta1", "Version of SubjectAccessReview it is sent."),
};
