/**
 * Audit events as JSON text. Bodies are spliced in as the bytes they came and went as, never
 * decoded, unless a policy asks that managedFields be left out.
 * Upstream: apiserver/pkg/apis/audit/v1/types.go, pkg/audit/{request,format}.go.
 */
import type { AuthenticatedRequest, ReceivedRequest } from "../request/request.ts";
import type { UserInfo } from "../request/user-info.ts";
import type { Level, Stage } from "./policy.ts";

export interface ResponseStatus {
  readonly status?: string;
  readonly message?: string;
  readonly reason?: string;
  readonly details?: unknown;
  readonly code: number;
}
export interface ObjectNames {
  readonly namespace?: string;
  readonly name?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
}

/** One event, before it is text. */
export interface AuditEvent {
  readonly level: Level;
  readonly stage: Stage;
  readonly request: ReceivedRequest & Partial<AuthenticatedRequest>;
  readonly names: ObjectNames;
  readonly responseStatus: ResponseStatus | undefined;
  /** JSON texts; undefined: not logged. */
  readonly requestObject: string | undefined;
  readonly responseObject: string | undefined;
  readonly stageAt: Date;
  readonly annotations: ReadonlyMap<string, string>;
}

const USER_AGENT_MAX = 1024;

/** The event as one line of JSON, without the line's end. */
export function eventJson(event: AuditEvent): string {
  const { request, level, stage, responseStatus, requestObject, responseObject } = event;
  const { impersonator, user, impersonationConstraint = "" } = request;
  const asked = impersonator ?? user;
  const head = {
    kind: "Event",
    apiVersion: "audit.k8s.io/v1",
    level,
    auditID: request.auditId,
    stage,
    requestURI: request.target,
    verb: request.info.verb,
    user: asked === undefined ? {} : userObject(asked),
    ...(impersonator === undefined || user === undefined
      ? {}
      : { impersonatedUser: userObject(user) }),
    ...(impersonationConstraint === ""
      ? {}
      : { authenticationMetadata: { impersonationConstraint } }),
    sourceIPs: sourceAddresses(request),
    ...userAgentOf(request),
    ...objectReference(event),
    ...(responseStatus === undefined
      ? {}
      : { responseStatus: { metadata: {}, ...responseStatus } }),
  };
  const tail = {
    requestReceivedTimestamp: microTime(request.receivedAt),
    stageTimestamp: microTime(event.stageAt),
    ...(event.annotations.size === 0
      ? {}
      : { annotations: Object.fromEntries([...event.annotations].sort(byKey)) }),
  };
  const bodies = [
    requestObject === undefined ? "" : `"requestObject":${requestObject},`,
    responseObject === undefined ? "" : `"responseObject":${responseObject},`,
  ];
  return `${JSON.stringify(head).slice(0, -1)},${bodies.join("")}${JSON.stringify(tail).slice(1)}`;
}

const byKey = ([a]: readonly [string, string], [b]: readonly [string, string]) => (a < b ? -1 : 1);

function userObject({ name, uid, groups, extra }: UserInfo) {
  return {
    ...(name === "" ? {} : { username: name }),
    ...(uid === "" ? {} : { uid }),
    ...(groups.length === 0 ? {} : { groups }),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}

function userAgentOf({ headers }: ReceivedRequest) {
  const agent = headers.get("user-agent") ?? "";
  if (agent === "") return {};
  if (agent.length <= USER_AGENT_MAX) return { userAgent: agent };
  return { userAgent: `${agent.slice(0, USER_AGENT_MAX)}...TRUNCATED` };
}

function objectReference({ request: { info }, names }: AuditEvent) {
  if (!info.isResourceRequest) return {};
  const entries = {
    resource: info.resource,
    namespace: info.namespace || (names.namespace ?? ""),
    name: info.name || (names.name ?? ""),
    uid: names.uid ?? "",
    apiGroup: info.apiGroup,
    apiVersion: info.apiVersion,
    resourceVersion: names.resourceVersion ?? "",
    subresource: info.subresource,
  };
  const shown = Object.entries(entries).filter(([, value]) => value !== "");
  return { objectRef: Object.fromEntries(shown) };
}

/** RFC3339 with microseconds; this clock knows milliseconds. */
function microTime(date: Date): string {
  return date.toISOString().replace("Z", "000Z");
}

const ADDRESS = /^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F:]*:[0-9a-fA-F:.]*)$/;

/** Who forwarded, as the headers say, then who connected. Upstream: util/net SourceIPs. */
export function sourceAddresses(request: ReceivedRequest): string[] {
  const forwarded = request
    .headerValues("x-forwarded-for")
    .flatMap((value) => value.split(","))
    .map((one) => one.trim())
    .filter((one) => ADDRESS.test(one));
  const addresses = [...forwarded];
  const real = (request.headers.get("x-real-ip") ?? "").trim();
  if (ADDRESS.test(real) && !addresses.includes(real)) addresses.push(real);
  const remote = hostOf(request.connection.remoteAddress);
  if (remote !== "" && addresses.at(-1) !== remote) addresses.push(remote);
  return addresses;
}

function hostOf(address: string): string {
  const bracketed = /^\[([^\]]+)\]/.exec(address)?.[1];
  if (bracketed !== undefined) return bracketed.replace(/^::ffff:/, "");
  const colon = address.lastIndexOf(":");
  const host = colon === -1 ? address : address.slice(0, colon);
  return host.replace(/^::ffff:/, "");
}

/** The line of `--audit-log-format=legacy`. */
export function legacyLine(event: AuditEvent): string {
  const { request, stage, responseStatus, names } = event;
  const { impersonator, user } = request;
  const asked = impersonator ?? user;
  const quote = (text: string) => JSON.stringify(text);
  const groupsOf = (one: UserInfo) => one.groups.map(quote).join(",");
  const as = impersonator === undefined ? undefined : user;
  const hasGroups = asked !== undefined && asked.groups.length > 0;
  const parts = [
    `id=${quote(request.auditId)}`,
    `stage=${quote(stage)}`,
    `ip=${quote(sourceAddresses(request)[0] ?? "<unknown>")}`,
    `method=${quote(request.info.verb)}`,
    `user=${quote(asked?.name || "<none>")}`,
    `groups=${quote(hasGroups ? groupsOf(asked) : "<none>")}`,
    `as=${quote(as?.name ?? "<self>")}`,
    `asgroups=${quote(as === undefined ? "<lookup>" : groupsOf(as))}`,
    `user-agent=${quote(request.headers.get("user-agent") ?? "")}`,
    `namespace=${quote(request.info.namespace || (names.namespace ?? "<none>"))}`,
    `uri=${quote(request.target)}`,
    `response="${responseStatus?.code ?? "<deferred>"}"`,
  ];
  return `${request.receivedAt.toISOString()} AUDIT: ${parts.join(" ")}`;
}
