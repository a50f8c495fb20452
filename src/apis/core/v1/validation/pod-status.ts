/** Updates of a pod's status. Upstream: ValidatePodStatusUpdate. */
import {
  duplicate,
  type ErrorList,
  forbidden,
  invalid,
  notSupported,
  Path,
  required,
  tooLong,
} from "../../../../apimachinery/validation/field.ts";
import { parseIPSloppy, validateIPForLegacyField } from "../../../../apimachinery/validation/ip.ts";
import {
  byteLength,
  isDNS1123Subdomain,
  isValidGroupID,
  isValidUserID,
} from "../../../../apimachinery/validation/names.ts";
import { validateImmutableField } from "../../../../apimachinery/validation/object-meta.ts";
import {
  invalidEach,
  validateDNS1123Label,
  validateDNS1123Subdomain,
  validateQualifiedName,
} from "../../../validation/common.ts";
import type {
  Container,
  ContainerStatus,
  Pod,
  PodExtendedResourceClaimStatus,
  PodSpec,
  PodStatus,
  ResourceStatus,
} from "../types.ts";
import { allContainers, type PodValidationOptions } from "./options.ts";
import { validatePodAnnotationUpdates, validatePodSpecificAnnotations } from "./pod-annotations.ts";
import { isRestartableInitContainer } from "./resources.ts";

const STATUS = Path.root("status");
const METADATA = Path.root("metadata");
const STATUS_LISTS = [
  "containerStatuses",
  "initContainerStatuses",
  "ephemeralContainerStatuses",
] as const;

/** Options of the status endpoint beyond those of specs. */
export interface PodStatusOptions extends PodValidationOptions {
  readonly clearsNominatedNodeName: boolean;
}

/** An update through pods/status. */
export function validatePodStatusUpdate(pod: Pod, old: Pod, options: PodStatusOptions): ErrorList {
  const status = pod.status ?? {};
  const before = old.status ?? {};
  const spec = pod.spec ?? {};
  const annotations = METADATA.child("annotations");
  const own = pod.metadata?.annotations;
  const errors = [
    ...validatePodAnnotationUpdates(own, old.metadata?.annotations, annotations),
    ...validatePodSpecificAnnotations(own, spec, annotations, options),
    ...validateConditions(status),
    ...validateNodeNames(pod, old, options),
  ];
  if ((status.observedGeneration ?? 0) < 0) {
    const path = STATUS.child("observedGeneration");
    errors.push(invalid(path, status.observedGeneration, "must be a non-negative integer"));
  }
  errors.push(
    ...validateImmutableField(
      status.qosClass ?? "",
      before.qosClass ?? "",
      STATUS.child("qosClass"),
    ),
    ...validateTransitions(status, before, old.spec ?? {}, options),
    ...validateClaimStatuses(status, spec),
    ...validateExtendedClaim(status.extendedResourceClaimStatus, spec),
    ...validateAddresses(status, before, options),
  );
  for (const list of STATUS_LISTS) {
    errors.push(...validateUsers(status[list], STATUS.child(list), spec));
  }
  for (const list of STATUS_LISTS) {
    errors.push(...validateAllocated(list, status[list], spec));
  }
  return errors;
}

const SYSTEM_CONDITIONS = ["PodScheduled", "Ready", "Initialized"];

function validateConditions({ conditions }: PodStatus): ErrorList {
  const errors: ErrorList = [];
  for (const [i, { type = "", observedGeneration = 0 }] of (conditions ?? []).entries()) {
    const path = STATUS.child("conditions").index(i);
    if (observedGeneration < 0) {
      const detail = "must be a non-negative integer";
      errors.push(invalid(path.child("observedGeneration"), observedGeneration, detail));
    }
    if (SYSTEM_CONDITIONS.includes(type)) continue;
    errors.push(...validateQualifiedName(type, path.child("Type")));
  }
  return errors;
}

function validateNodeNames(pod: Pod, old: Pod, options: PodStatusOptions): ErrorList {
  const errors: ErrorList = [];
  if ((pod.spec?.nodeName ?? "") !== (old.spec?.nodeName ?? "")) {
    errors.push(forbidden(STATUS.child("nodeName"), "may not be changed directly"));
  }
  const name = pod.status?.nominatedNodeName ?? "";
  if (name === "" || name === (old.status?.nominatedNodeName ?? "")) return errors;
  const path = STATUS.child("nominatedNodeName");
  errors.push(...invalidEach(path, name, isDNS1123Subdomain(name)));
  if (options.clearsNominatedNodeName && old.spec?.nodeName) {
    errors.push(forbidden(path, "may not be set on pods that are already bound to a node"));
  }
  return errors;
}

/** A container that ended stays so, unless something of the pod would restart it. */
function validateTransitions(
  status: PodStatus,
  old: PodStatus,
  spec: PodSpec,
  options: PodStatusOptions,
): ErrorList {
  const errors: ErrorList = [];
  const restartsAll =
    options.allowRestartAllContainers &&
    allContainers(spec).some((one) =>
      (one.restartPolicyRules ?? []).some(({ action }) => action === "RestartAllContainers"),
    );
  for (const list of STATUS_LISTS) {
    const isEphemeral = list === "ephemeralContainerStatuses";
    if (restartsAll && !isEphemeral) continue;
    const containers = list === "containerStatuses" ? spec.containers : spec.initContainers;
    const now = new Map((status[list] ?? []).map((one) => [one.name, one]));
    for (const [i, { name, state }] of (old[list] ?? []).entries()) {
      const code = state?.terminated?.exitCode ?? 0;
      if (state?.terminated === undefined) continue;
      const next = now.get(name);
      if (next === undefined || next.state?.terminated !== undefined) continue;
      const container = containers?.find((one) => one.name === name);
      const restarts = container !== undefined && shouldRestart(container, spec, Number(code));
      if (!isEphemeral && restarts) continue;
      const detail = "may not be transitioned to non-terminated state";
      errors.push(forbidden(STATUS.child(list).index(i).child("state"), detail));
    }
  }
  return errors;
}

/** Upstream: podutil.ContainerShouldRestart. */
function shouldRestart(container: Container, spec: PodSpec, exitCode: number): boolean {
  if (container.restartPolicy !== undefined) {
    for (const { action, exitCodes } of container.restartPolicyRules ?? []) {
      const listed = (exitCodes?.values ?? []).includes(exitCode);
      const matches = exitCodes?.operator === "In" ? listed : !listed;
      if (exitCodes !== undefined && action === "Restart" && matches) return true;
    }
    return restartsOn(container.restartPolicy, exitCode);
  }
  return (
    restartsOn(spec.restartPolicy ?? "Always", exitCode) || isRestartableInitContainer(container)
  );
}

function restartsOn(policy: string, exitCode: number): boolean {
  return policy === "Always" || (policy === "OnFailure" && exitCode !== 0);
}

function validateClaimStatuses(status: PodStatus, spec: PodSpec): ErrorList {
  const errors: ErrorList = [];
  const names = new Set<string>();
  for (const [i, one] of (status.resourceClaimStatuses ?? []).entries()) {
    const path = STATUS.child("resourceClaimStatuses").index(i);
    const { name = "", resourceClaimName: claim } = one;
    if (!(spec.resourceClaims ?? []).some((own) => (own.name ?? "") === name)) {
      const detail = "must match the name of an entry in `spec.resourceClaims`";
      errors.push(invalid(path.child("name"), name, detail));
    }
    if (names.has(name)) errors.push(duplicate(path.child("name"), name));
    names.add(name);
    if (claim === undefined) continue;
    errors.push(...validateDNS1123Subdomain(claim, path.child("resourceClaimName")));
  }
  return errors;
}

function validateExtendedClaim(
  status: PodExtendedResourceClaimStatus | undefined,
  spec: PodSpec,
): ErrorList {
  if (status === undefined) return [];
  const errors: ErrorList = [];
  const at = STATUS.child("extendedResourceClaimStatus");
  const mappings = status.requestMappings ?? [];
  const list = at.child("requestMappings");
  if (mappings.length === 0)
    errors.push(required(list, "at least one request mapping is required"));
  const containers = new Map(
    [...(spec.initContainers ?? []), ...(spec.containers ?? [])].map((one) => [one.name, one]),
  );
  const seen = new Set<string>();
  for (const [i, mapping] of mappings.entries()) {
    const path = list.index(i);
    const { containerName = "", resourceName = "", requestName = "" } = mapping;
    const container = containers.get(containerName);
    if (container === undefined) {
      const detail =
        "must match the name of an entry in spec.initContainers.name or spec.containers.name";
      errors.push(invalid(path.child("containerName"), containerName, detail));
    } else if (container.resources?.requests?.[resourceName] === undefined) {
      const detail =
        "must match the extended resource name of an entry in spec.initContainers.resources.requests or spec.containers.resources.requests";
      errors.push(invalid(path.child("resourceName"), resourceName, detail));
    }
    errors.push(...validateDNS1123Label(requestName, at.child("requestName")));
    const key = JSON.stringify([containerName, resourceName, requestName]);
    if (seen.has(key)) {
      errors.push(
        duplicate(path.child("containerName"), containerName),
        duplicate(path.child("resourceName"), resourceName),
        duplicate(path.child("requestName"), requestName),
      );
    }
    seen.add(key);
  }
  const name = status.resourceClaimName ?? "";
  if (name === "") errors.push(required(at.child("resourceClaimName")));
  else errors.push(...validateDNS1123Subdomain(name, at.child("resourceClaimName")));
  return errors;
}

function validateAddresses(
  status: PodStatus,
  old: PodStatus,
  options: PodStatusOptions,
): ErrorList {
  const errors: ErrorList = [];
  const hostIPs = status.hostIPs ?? [];
  if (hostIPs.length > 0 && (status.hostIP ?? "") !== (hostIPs[0]?.ip ?? "")) {
    const path = STATUS.child("hostIPs").index(0).child("ip");
    errors.push(invalid(path, hostIPs[0]?.ip ?? "", "must be equal to `hostIP`"));
  }
  for (const name of ["podIPs", "hostIPs"] as const) {
    const at = STATUS.child(name);
    const addresses = (status[name] ?? []).map(({ ip = "" }) => ip);
    const known = (old[name] ?? []).map(({ ip = "" }) => ip);
    for (const [i, ip] of addresses.entries()) {
      errors.push(...validateIPForLegacyField(at.index(i), ip, known, options.strictIPs));
    }
    if (addresses.length < 2) continue;
    const families = addresses.map((ip) => parseIPSloppy(ip)?.bytes.length);
    const bad = families.indexOf(undefined);
    if (bad !== -1) {
      const detail = `failed to check for dual stack with error:ip ${addresses[bad]} is invalid`;
      errors.push({ type: "Internal", field: String(at), value: undefined, detail });
    }
    const dual = bad === -1 && families.includes(4) && families.includes(16);
    if (dual && addresses.length === 2) continue;
    const value = (status[name] ?? []).map(({ ip = "" }) => ({ IP: ip }));
    errors.push(invalid(at, value, "may specify no more than one IP for each IP family"));
  }
  return errors;
}

function validateUsers(
  statuses: readonly ContainerStatus[] | undefined,
  at: Path,
  { os }: PodSpec,
): ErrorList {
  const errors: ErrorList = [];
  for (const [i, { user }] of (statuses ?? []).entries()) {
    const linux = user?.linux;
    const path = at.index(i).child("user").child("linux");
    if (linux === undefined) continue;
    if (os?.name === "windows") {
      errors.push(forbidden(path, "cannot be set for a windows pod"));
      continue;
    }
    const { uid = 0, gid = 0 } = linux;
    errors.push(
      ...invalidEach(path.child("uid"), uid, isValidUserID(uid)),
      ...invalidEach(path.child("gid"), gid, isValidGroupID(gid)),
    );
    for (const [j, group] of (linux.supplementalGroups ?? []).entries()) {
      const where = path.child("supplementalGroups").index(j);
      errors.push(...invalidEach(where, group, isValidGroupID(group)));
    }
  }
  return errors;
}

const HEALTHS = ["Healthy", "Unhealthy", "Unknown"];
const HEALTH_MESSAGE_MAX = 1024;

function validateAllocated(
  list: (typeof STATUS_LISTS)[number],
  statuses: readonly ContainerStatus[] | undefined,
  spec: PodSpec,
): ErrorList {
  const errors: ErrorList = [];
  for (const [i, status] of (statuses ?? []).entries()) {
    const path = STATUS.child(list).index(i).child("allocatedResourcesStatus");
    const allocated = status.allocatedResourcesStatus ?? [];
    if (list === "ephemeralContainerStatuses") {
      if (allocated.length === 0) continue;
      errors.push(forbidden(path, "must not be specified in container status"));
      continue;
    }
    const containers = list === "containerStatuses" ? spec.containers : spec.initContainers;
    const container = containers?.find((one) => one.name === status.name);
    for (const [j, resource] of allocated.entries()) {
      errors.push(...validateResourceStatus(resource, container, path.index(j)));
    }
  }
  return errors;
}

function validateResourceStatus(
  { name = "", resources }: ResourceStatus,
  container: Container | undefined,
  at: Path,
): ErrorList {
  const errors: ErrorList = [];
  if (container !== undefined) {
    const problem = allocatedNameProblem(name, container);
    if (problem !== undefined) errors.push(invalid(at.child("name"), name, problem));
  }
  const seen = new Set<string>();
  for (const [i, { resourceID = "", health = "", message }] of (resources ?? []).entries()) {
    const path = at.child("resources").index(i);
    if (!HEALTHS.includes(health)) errors.push(notSupported(path.child("health"), health, HEALTHS));
    if (message === "") {
      errors.push(required(path.child("message"), "must be non-empty if specified"));
    } else if (message !== undefined && byteLength(message) > HEALTH_MESSAGE_MAX) {
      errors.push(tooLong(path.child("message"), HEALTH_MESSAGE_MAX));
    }
    if (seen.has(resourceID)) errors.push(duplicate(path.child("resourceID"), resourceID));
    seen.add(resourceID);
  }
  return errors;
}

function allocatedNameProblem(name: string, { resources }: Container): string | undefined {
  if (name.startsWith("claim:")) {
    const claims = (resources?.claims ?? []).map(({ name: claim = "", request }) =>
      request ? `claim:${claim}/${request}` : `claim:${claim}`,
    );
    if (claims.includes(name)) return undefined;
    return "must match one of the container's resource claims in a format 'claim:<claimName>/<request>' or 'claim:<claimName>' if request is empty";
  }
  if (resources?.requests?.[name] !== undefined) return undefined;
  return "must match one of the container's resource requests";
}
