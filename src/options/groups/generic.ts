/** Upstream: apiserver/pkg/server/options/server_run_options.go. */
import { bool, duration, float, int, ip, joined, string, strings } from "../flag-spec.ts";

export const genericFlags = {
  "advertise-address": ip(
    "",
    "Address that members of the cluster reach this server at; it becomes the endpoint of the kubernetes Service. Empty: --bind-address, or the default interface's address when that is a wildcard.",
  ),
  "cors-allowed-origins": strings(
    [],
    "Regular expressions of the origins that browsers may call from. Each must be anchored: begin with ^ or // and end with $ or a port. Empty: no CORS headers.",
  ),
  "emulated-version": strings([], "Versions to behave like, component=major.minor: kube=1.35."),
  "emulation-forward-compatible": bool(
    false,
    "While emulating, also serve newer and more stable versions of the enabled APIs.",
  ),
  "external-hostname": string("", "Host name for URLs of this server that others see."),
  "feature-gates": joined(
    "colonSeparatedMultimapStringString",
    "Gates to switch, [component:]Gate=true|false, separated by commas. AllAlpha and AllBeta stand for a whole stage.",
  ),
  "goaway-chance": float(
    0,
    "Chance, from 0 to 0.02, that a request's connection is closed afterwards, to spread clients over servers.",
  ),
  "livez-grace-period": duration(
    "0s",
    "How long /livez forgives start-up work that has not ended.",
  ),
  "max-mutating-requests-inflight": int(
    200,
    "Mutating requests served at a time; with priority and fairness, this and --max-requests-inflight add up to the seats of the server.",
  ),
  "max-requests-inflight": int(400, "Other requests served at a time; see the flag above."),
  "min-compatibility-version": strings(
    [],
    "Oldest control plane version to stay compatible with, component=major.minor.",
  ),
  "min-request-timeout": int(
    1800,
    "Seconds a watch stays open at least when its client names no timeout; the end is spread over as long again.",
  ),
  "request-timeout": duration("1m0s", "How long a request that is not long-running may take."),
  "runtime-config-emulation-forward-compatible": bool(
    false,
    "While emulating, keep APIs that --runtime-config names although they came later.",
  ),
  "shutdown-delay-duration": duration(
    "0s",
    "After SIGTERM, how long to serve on with /readyz failing, for load balancers to notice.",
  ),
  "shutdown-send-retry-after": bool(
    false,
    "While shutting down, answer new requests with 429 and Retry-After.",
  ),
  "shutdown-watch-termination-grace-period": duration(
    "0s",
    "While shutting down, how long watches may go on.",
  ),
  "storage-initialization-timeout": duration(
    "1m0s",
    "How long to wait at start until every resource's cache is filled.",
  ),
  "strict-transport-security-directives": strings(
    [],
    "Directives of the Strict-Transport-Security header. Empty: no header.",
  ),
};
