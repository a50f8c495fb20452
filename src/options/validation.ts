/**
 * Combinations of flags that can not work, in upstream's words. Upstream: the Validate methods of
 * pkg/kubeapiserver/options, apiserver/pkg/server/options and pkg/controlplane/apiserver/options.
 */
import { isIP } from "node:net";
import { pluginNames } from "../admission/plugins/plugin-names.ts";
import type { Flags } from "./flags.ts";

type Errors = string[];
type Check = (flags: Flags, changed: ReadonlySet<string>) => Errors;

const check = (condition: boolean, message: string): Errors => (condition ? [] : [message]);
const quote = (text: string) => JSON.stringify(text);

const checks: readonly Check[] = [
  generic,
  requestLimits,
  etcd,
  serving,
  audit,
  authentication,
  oidc,
  authorization,
  admission,
  services,
  logs,
  own,
];

/** Every error found; empty: the flags can be used. */
export function validate(flags: Flags, changed: ReadonlySet<string>): Errors {
  return checks.flatMap((one) => one(flags, changed));
}

function generic(flags: Flags): Errors {
  const hsts = flags["strict-transport-security-directives"];
  const goodDirective = (text: string) =>
    /^max-age=\d+$/.test(text) || text === "includeSubDomains" || text === "preload";
  const origins = flags["cors-allowed-origins"].flatMap((pattern) => [
    ...check(
      pattern.startsWith("^") || pattern.startsWith("//"),
      `--cors-allowed-origins has an invalid regular expression: ${pattern}: it must be anchored at its start`,
    ),
    ...check(
      pattern.endsWith("$") || /:\d+$/.test(pattern),
      `--cors-allowed-origins has an invalid regular expression: ${pattern}: it must be anchored at its end`,
    ),
  ]);
  return [
    ...check(
      hsts.every(goodDirective),
      "--strict-transport-security-directives invalid, allowed values: max-age=expireTime, includeSubDomains, preload. see https://tools.ietf.org/html/rfc6797#section-6.1 for more information",
    ),
    ...origins,
  ];
}

function requestLimits(flags: Flags): Errors {
  const negative = (
    [
      "max-requests-inflight",
      "max-mutating-requests-inflight",
      "request-timeout",
      "min-request-timeout",
      "shutdown-delay-duration",
      "shutdown-watch-termination-grace-period",
    ] as const
  ).flatMap((name) => check(flags[name] >= 0, `--${name} can not be negative value`));
  const seats = flags["max-requests-inflight"] + flags["max-mutating-requests-inflight"];
  return [
    ...negative,
    ...check(flags["livez-grace-period"] >= 0, "--livez-grace-period can not be a negative value"),
    ...check(
      flags["goaway-chance"] >= 0 && flags["goaway-chance"] <= 0.02,
      "--goaway-chance can not be less than 0 or greater than 0.02",
    ),
    ...check(
      !flags["enable-priority-and-fairness"] || seats > 0,
      "--max-requests-inflight and --max-mutating-requests-inflight must not both be zero with --enable-priority-and-fairness",
    ),
  ];
}

const MEDIA_TYPES = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"];

function etcd(flags: Flags): Errors {
  const media = flags["storage-media-type"];
  const overrides = flags["etcd-servers-overrides"].every((text) =>
    /^[^/#]*\/[^#]+#.+$/.test(text),
  );
  const badServer = flags["etcd-servers"].find((text) => !/^(https?|unixs?):\/\/.+/.test(text));
  return [
    ...check(
      ["", "etcd3"].includes(flags["storage-backend"]),
      "--storage-backend invalid, allowed values: etcd3. If not specified, it will default to 'etcd3'",
    ),
    ...check(
      MEDIA_TYPES.includes(media),
      `--storage-media-type ${quote(media)} invalid, allowed values: ${MEDIA_TYPES.join(", ")}`,
    ),
    ...check(
      overrides,
      "--etcd-servers-overrides invalid, must be of format: group/resource#servers, where servers are URLs, semicolon separated",
    ),
    ...check(
      flags["etcd-servers-overrides"].length === 0 || flags["etcd-servers"].length > 0,
      "--etcd-servers-overrides needs --etcd-servers",
    ),
    ...check(
      badServer === undefined,
      `--etcd-servers invalid: ${badServer} must be of the form scheme://host:port`,
    ),
    ...check(
      (flags["etcd-certfile"] === "") === (flags["etcd-keyfile"] === ""),
      "--etcd-certfile and --etcd-keyfile must be specified together",
    ),
    ...check(
      !flags["encryption-provider-config-automatic-reload"] ||
        flags["encryption-provider-config"] !== "",
      "--encryption-provider-config-automatic-reload must be set with --encryption-provider-config",
    ),
    ...check(
      flags["delete-collection-workers"] > 0,
      "--delete-collection-workers must be greater than 0",
    ),
  ];
}

const TLS_VERSIONS = ["", "VersionTLS10", "VersionTLS11", "VersionTLS12", "VersionTLS13"];

function serving(flags: Flags): Errors {
  const port = flags["secure-port"];
  const version = flags["tls-min-version"];
  return [
    ...check(
      port >= 1 && port <= 65_535,
      `--secure-port ${port} must be between 1 and 65535, inclusive. It cannot be turned off with 0`,
    ),
    ...check(
      (flags["tls-cert-file"] === "") === (flags["tls-private-key-file"] === ""),
      "--tls-cert-file and --tls-private-key-file must be specified together",
    ),
    ...check(
      TLS_VERSIONS.includes(version),
      `unknown tls version ${quote(version)}, must be one of ${TLS_VERSIONS.slice(1).join(", ")}`,
    ),
    ...check(
      flags["http2-max-streams-per-connection"] >= 0,
      "--http2-max-streams-per-connection can not be negative value",
    ),
  ];
}

const AUDIT_MODES = ["batch", "blocking", "blocking-strict"];

function audit(flags: Flags): Errors {
  const format = flags["audit-log-format"];
  const ofBackend = (["log", "webhook"] as const).flatMap((backend) => {
    const mode = flags[`audit-${backend}-mode`];
    const version = flags[`audit-${backend}-version`];
    const buffer = flags[`audit-${backend}-batch-buffer-size`];
    const batch = flags[`audit-${backend}-batch-max-size`];
    return [
      ...check(
        AUDIT_MODES.includes(mode),
        `invalid audit ${backend} mode ${mode}, allowed modes are ${quote(AUDIT_MODES.join(","))}`,
      ),
      ...check(
        version === "audit.k8s.io/v1",
        `invalid audit ${backend} version ${version}, allowed versions are ["audit.k8s.io/v1"]`,
      ),
      ...check(
        buffer > 0,
        `invalid audit batch ${backend} buffer size ${buffer}, must be a positive number`,
      ),
      ...check(
        batch > 0,
        `invalid audit batch ${backend} max batch size ${batch}, must be a positive number`,
      ),
    ];
  });
  const counts = (
    ["audit-log-maxage", "audit-log-maxbackup", "audit-log-maxsize"] as const
  ).flatMap((name) =>
    check(flags[name] >= 0, `--${name} ${flags[name]} can't be a negative number`),
  );
  return [
    ...ofBackend,
    ...counts,
    ...check(
      format === "json" || format === "legacy",
      `invalid audit log format ${format}, allowed formats are ["legacy" "json"]`,
    ),
  ];
}

function authentication(flags: Flags): Errors {
  const maximumMs = flags["service-account-max-token-expiration"];
  const badIssuer = flags["service-account-issuer"].find(
    (issuer) => issuer === "" || (issuer.includes(":") && !URL.canParse(issuer)),
  );
  return [
    ...check(
      badIssuer === undefined,
      `service-account-issuer ${quote(badIssuer ?? "")} contained a ':' but was not a valid URL`,
    ),
    ...check(
      maximumMs === 0 || (maximumMs >= 3_600_000 && maximumMs <= 2 ** 32 * 1000),
      "the service-account-max-token-expiration must be between 1 hour and 2^32 seconds",
    ),
    ...signingEndpoint(flags),
    ...check(
      flags["requestheader-client-ca-file"] === "" ||
        flags["requestheader-username-headers"].length > 0,
      "--requestheader-username-headers must be set with --requestheader-client-ca-file",
    ),
  ];
}

const ABSTRACT_SOCKET = /^@([a-zA-Z0-9_-]+\.)*[a-zA-Z0-9_-]+$/;

function signingEndpoint(flags: Flags): Errors {
  const endpoint = flags["service-account-signing-endpoint"];
  const hasKeys =
    flags["service-account-signing-key-file"] !== "" ||
    flags["service-account-key-file"].length > 0;
  return [
    ...check(
      endpoint === "" || !hasKeys,
      "can't set `--service-account-signing-key-file` and/or `--service-account-key-file` with `--service-account-signing-endpoint` (They are mutually exclusive)",
    ),
    ...check(
      !endpoint.startsWith("@") || ABSTRACT_SOCKET.test(endpoint),
      `invalid value ${quote(endpoint)} passed for \`--service-account-signing-endpoint\`, when prefixed with @ must be a valid abstract socket name`,
    ),
  ];
}

const OIDC_ALGORITHMS = "RS256 RS384 RS512 ES256 ES384 ES512 PS256 PS384 PS512".split(" ");

function oidc(flags: Flags, changed: ReadonlySet<string>): Errors {
  const used = [...changed].some((name) => name.startsWith("oidc-"));
  const complete = flags["oidc-issuer-url"] !== "" && flags["oidc-client-id"] !== "";
  const unknown = flags["oidc-signing-algs"].find((name) => !OIDC_ALGORITHMS.includes(name));
  return [
    ...check(
      !used || complete,
      "oidc-issuer-url and oidc-client-id must be specified together when any oidc-* flags are set",
    ),
    ...check(
      flags["oidc-issuer-url"] === "" || flags["oidc-issuer-url"].startsWith("https://"),
      "issuer.url: Invalid value: URL scheme must be https",
    ),
    ...check(
      unknown === undefined,
      `oidc-signing-algs: unsupported signing alg ${quote(unknown ?? "")}`,
    ),
    ...check(
      !used || flags["authentication-config"] === "",
      "authentication-config file and oidc-* flags are mutually exclusive",
    ),
  ];
}

const MODES = ["AlwaysAllow", "AlwaysDeny", "ABAC", "Webhook", "RBAC", "Node"];

function authorization(flags: Flags, changed: ReadonlySet<string>): Errors {
  const modes = flags["authorization-mode"];
  if (flags["authorization-config"] !== "") {
    const excluded = [...changed].filter(
      (name) => name === "authorization-mode" || name.startsWith("authorization-webhook-"),
    );
    return check(
      excluded.length === 0,
      "--authorization-config can not be specified when --authorization-mode or --authorization-webhook-* flags are defined",
    );
  }
  const errors = modes.flatMap((mode, index) => [
    ...check(MODES.includes(mode), `authorization-mode ${quote(mode)} is not a valid mode`),
    ...check(
      modes.indexOf(mode) === index,
      `authorization-mode ${quote(modes.join(","))} has mode specified more than once`,
    ),
  ]);
  const abac = modes.includes("ABAC");
  const webhook = modes.includes("Webhook");
  const policyFile = flags["authorization-policy-file"] !== "";
  const webhookFile = flags["authorization-webhook-config-file"] !== "";
  return [
    ...errors,
    ...check(!abac || policyFile, "authorization-mode ABAC's authorization policy file not passed"),
    ...check(abac || !policyFile, "cannot specify --authorization-policy-file without mode ABAC"),
    ...check(
      !webhook || webhookFile,
      "authorization-mode Webhook's authorization config file not passed",
    ),
    ...check(
      webhook || !webhookFile,
      "cannot specify --authorization-webhook-config-file without mode Webhook",
    ),
  ];
}

function admission(flags: Flags): Errors {
  const enabled = flags["enable-admission-plugins"];
  const disabled = flags["disable-admission-plugins"];
  const unknown = (flag: string, names: readonly string[]) =>
    names
      .filter((name) => !pluginNames.includes(name))
      .map((name) => `${flag} plugin ${quote(name)} is unknown`);
  const both = enabled.filter((name) => disabled.includes(name));
  const exact = flags["admission-control"];
  return [
    ...check(
      exact.length === 0 || (enabled.length === 0 && disabled.length === 0),
      "admission-control and enable-admission-plugins/disable-admission-plugins flags are mutually exclusive",
    ),
    ...unknown("admission-control", exact),
    ...unknown("enable-admission-plugins", enabled),
    ...unknown("disable-admission-plugins", disabled),
    ...check(
      both.length === 0,
      `[${both.join(" ")}] in enable-admission-plugins and disable-admission-plugins overlapped`,
    ),
  ];
}

function services(flags: Flags): Errors {
  const ranges = serviceRanges(flags);
  const families = new Set(ranges.map((range) => (range.includes(":") ? 6 : 4)));
  const valid = ranges.every(isCidr);
  const ports = flags["service-node-port-range"];
  const nodePort = flags["kubernetes-service-node-port"];
  const inRange = nodePort >= ports.base && nodePort < ports.base + ports.size;
  return [
    ...check(
      ranges.length <= 2,
      "--service-cluster-ip-range must not contain more than two entries",
    ),
    ...check(valid, "--service-cluster-ip-range is not a valid cidr"),
    ...check(
      ranges.length < 2 || families.size === 2,
      "--service-cluster-ip-range and --secondary-service-cluster-ip-range must be of different IP family",
    ),
    ...check(
      nodePort >= 0 && nodePort <= 65_535,
      `--kubernetes-service-node-port ${nodePort} must be between 0 and 65535, inclusive. If 0, the Service for the Kubernetes master will be of type ClusterIP`,
    ),
    ...check(
      nodePort === 0 || inRange,
      `kubernetes service node port ${nodePort} is not in the service node port range`,
    ),
    ...check(
      flags["apiserver-count"] > 0,
      `--apiserver-count should be a positive number, but value '${flags["apiserver-count"]}' provided`,
    ),
    ...check(
      ["lease", "master-count", "none"].includes(flags["endpoint-reconciler-type"]),
      `--endpoint-reconciler-type must be one of: [lease master-count none]`,
    ),
  ];
}
/** --service-cluster-ip-range as a list, its default filled in. */
export function serviceRanges(flags: Flags): readonly string[] {
  const text = flags["service-cluster-ip-range"];
  return text === "" ? ["10.0.0.0/24"] : text.split(",").map((range) => range.trim());
}
function isCidr(text: string): boolean {
  const [address = "", bits = ""] = text.split("/");
  const family = isIP(address);
  if (family === 0 || !/^\d{1,3}$/.test(bits)) return false;
  return family === 4 ? Number(bits) <= 32 : Number(bits) >= 64 && Number(bits) <= 128;
}

function logs(flags: Flags): Errors {
  const format = flags["logging-format"];
  return check(
    format === "text" || format === "json",
    `format: Invalid value: ${quote(format)}: Unsupported log format`,
  );
}

function own(flags: Flags): Errors {
  return [
    ...check(["uws", "node"].includes(flags.front), "--front must be uws or node"),
    ...check(flags["front-threads"] >= 0, "--front-threads can not be negative value"),
    ...check(flags["worker-threads"] >= 0, "--worker-threads can not be negative value"),
    ...check(flags["data-dir"] !== "", "--data-dir must not be empty"),
  ];
}
