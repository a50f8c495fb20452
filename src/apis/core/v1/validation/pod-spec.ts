/**
 * The whole spec of a pod, in pods and in templates. Upstream: ValidatePodSpec.
 */
import type { ObjectMeta } from "../../../../apimachinery/meta/types.ts";
import {
  duplicate,
  type ErrorList,
  forbidden,
  invalid,
  notFound,
  notSupported,
  type Path,
  required,
  tooLong,
} from "../../../../apimachinery/validation/field.ts";
import { validateIPForLegacyField } from "../../../../apimachinery/validation/ip.ts";
import { validateLabels } from "../../../../apimachinery/validation/labels.ts";
import {
  byteLength,
  inclusiveRangeError,
  isDNS1123Subdomain,
} from "../../../../apimachinery/validation/names.ts";
import {
  goStruct,
  invalidEach,
  validateDNS1123Label,
  validateDNS1123Subdomain,
  validateDNS1123SubdomainWithUnderscore,
  validateQualifiedName,
} from "../../../validation/common.ts";
import type { HostAlias, PodResourceClaim, PodSpec } from "../types.ts";
import { validateAffinity } from "./affinity.ts";
import {
  type ContainerContext,
  validateContainers,
  validateEphemeralContainers,
  validateInitContainers,
} from "./container.ts";
import type { PodValidationOptions } from "./options.ts";
import { validateContainerResourceRequirements, validatePodResources } from "./resources.ts";
import { validatePodSecurityContext } from "./security-context.ts";
import { validateTolerations } from "./tolerations.ts";
import { validateTopologySpreadConstraints } from "./topology-spread.ts";
import { validateVolumes } from "./volume.ts";
import { validateOS, validateWindowsHostProcess, visitContainers } from "./windows.ts";

const RESTART_POLICIES = ["Always", "OnFailure", "Never"];
const DNS_POLICIES = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
const PREEMPTION_POLICIES = ["PreemptLowerPriority", "Never"];
export const MAX_INT32 = 2147483647;

function requiredOneOf(value: string | undefined, known: readonly string[], at: Path): ErrorList {
  if (!value) return [required(at)];
  return known.includes(value) ? [] : [notSupported(at, value, known)];
}

/**
 * The spec at `at`. `meta` is given for real pods only: names of generated claims depend on it.
 */
export function validatePodSpec(
  spec: PodSpec,
  meta: ObjectMeta | undefined,
  at: Path,
  options: PodValidationOptions,
): ErrorList {
  const errors: ErrorList = [];
  if (spec.terminationGracePeriodSeconds === undefined) {
    errors.push(required(at.child("terminationGracePeriodSeconds")));
  }
  const volumes = validateVolumes(spec.volumes, meta, at.child("volumes"), options);
  const claims = new Set((spec.resourceClaims ?? []).flatMap(({ name }) => (name ? [name] : [])));
  const context: ContainerContext = { spec, volumes: volumes.byName, claims, options };
  errors.push(
    ...volumes.errors,
    ...validateResourceClaims(spec.resourceClaims, meta, at.child("resourceClaims")),
    ...validateContainers(at.child("containers"), context),
    ...validateInitContainers(at.child("initContainers"), context),
    ...validateEphemeralContainers(at.child("ephemeralContainers"), context),
  );
  if (options.podLevelResources) errors.push(...validatePodResources(spec, claims, at, options));
  errors.push(
    ...validateHostNetworkPorts(spec, at.child("containers"), options),
    ...requiredOneOf(spec.restartPolicy, RESTART_POLICIES, at.child("restartPolicy")),
    ...requiredOneOf(spec.dnsPolicy, DNS_POLICIES, at.child("dnsPolicy")),
    ...validateLabels(spec.nodeSelector, at.child("nodeSelector")),
    ...validatePodSecurityContext(spec, at.child("securityContext"), options),
    ...validateAffinity(spec.affinity, at.child("affinity"), options),
    ...validateDNSConfig(spec, at.child("dnsConfig"), options),
    ...validateGates(spec, at),
    ...validateTopologySpreadConstraints(
      spec.topologySpreadConstraints,
      at.child("topologySpreadConstraints"),
      options,
    ),
    ...validateWindowsHostProcess(spec, at, options),
    ...validateHostUsers(spec, at, options),
    ...validateNames(spec, at),
    ...validateRest(spec, at, options),
    ...validateOS(spec, at),
    ...validateSchedulingGroup(spec, at.child("schedulingGroup")),
    ...validateFileKeyVolumes(spec, at),
  );
  return errors;
}

const MIRROR_ANNOTATION = "kubernetes.io/config.mirror";

function validateResourceClaims(
  claims: readonly PodResourceClaim[] | undefined,
  meta: ObjectMeta | undefined,
  at: Path,
): ErrorList {
  const errors: ErrorList = [];
  const names = new Set<string>();
  for (const [i, claim] of (claims ?? []).entries()) {
    if (meta?.annotations?.[MIRROR_ANNOTATION] !== undefined) {
      errors.push(forbidden("", "static pods do not support resource claims"));
      continue;
    }
    const path = at.index(i);
    const { name = "", resourceClaimName: own, resourceClaimTemplateName: template } = claim;
    if (name === "") errors.push(required(path.child("name")));
    else if (names.has(name)) errors.push(duplicate(path.child("name"), name));
    else errors.push(...validateDNS1123Label(name, path.child("name")));
    names.add(name);
    const value = () => goStruct(claim, "k8s.io/api/core/v1.PodResourceClaim");
    if (own !== undefined && template !== undefined) {
      const detail =
        "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified";
      errors.push(invalid(path, value(), detail));
    }
    if (own === undefined && template === undefined) {
      const detail = "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`";
      errors.push(invalid(path, value(), detail));
    }
    if (own !== undefined) {
      errors.push(...validateDNS1123Subdomain(own, path.child("resourceClaimName")));
    }
    if (template !== undefined) {
      errors.push(...validateDNS1123Subdomain(template, path.child("resourceClaimTemplateName")));
    }
  }
  return errors;
}

/** On the host's network a container's port is the host's port; templates may leave it out. */
function validateHostNetworkPorts(
  spec: PodSpec,
  at: Path,
  { resourceIsPod }: PodValidationOptions,
): ErrorList {
  const errors: ErrorList = [];
  if (!spec.hostNetwork) return errors;
  for (const [i, container] of (spec.containers ?? []).entries()) {
    for (const [j, { hostPort = 0, containerPort = 0 }] of (container.ports ?? []).entries()) {
      if (hostPort === containerPort || (hostPort === 0 && !resourceIsPod)) continue;
      const path = at.index(i).child("ports").index(j).child("hostPort");
      const detail = "must match `containerPort` when `hostNetwork` is true";
      errors.push(invalid(path, hostPort, detail));
    }
  }
  return errors;
}

const NAMESERVERS_MAX = 3;
const SEARCHES_MAX = 32;
const SEARCH_CHARACTERS_MAX = 2048;

function validateDNSConfig(spec: PodSpec, at: Path, options: PodValidationOptions): ErrorList {
  const { dnsPolicy, dnsConfig: config } = spec;
  const servers = config?.nameservers ?? [];
  if (dnsPolicy === "None") {
    if (config === undefined) {
      return [required(at, "must provide `dnsConfig` when `dnsPolicy` is None")];
    }
    if (servers.length === 0) {
      const detail = "must provide at least one DNS nameserver when `dnsPolicy` is None";
      return [required(at.child("nameservers"), detail)];
    }
  }
  if (config === undefined) return [];
  const errors: ErrorList = [];
  const list = at.child("nameservers");
  if (servers.length > NAMESERVERS_MAX) {
    errors.push(invalid(list, servers, `must not have more than ${NAMESERVERS_MAX} nameservers`));
  }
  for (const [i, server] of servers.entries()) {
    errors.push(...validateIPForLegacyField(list.index(i), server, [], options.strictIPs));
  }
  errors.push(...validateSearches(config.searches ?? [], at.child("searches"), options));
  for (const [i, { name }] of (config.options ?? []).entries()) {
    if (!name) errors.push(required(at.child("options").index(i), "must not be empty"));
  }
  return errors;
}

function validateSearches(
  searches: readonly string[],
  at: Path,
  options: PodValidationOptions,
): ErrorList {
  const errors: ErrorList = [];
  if (searches.length > SEARCHES_MAX) {
    errors.push(invalid(at, searches, `must not have more than ${SEARCHES_MAX} search paths`));
  }
  if (byteLength(searches.join(" ")) > SEARCH_CHARACTERS_MAX) {
    const limit = `${SEARCH_CHARACTERS_MAX} characters (including spaces)`;
    errors.push(invalid(at, searches, `must not have more than ${limit} in the search list`));
  }
  for (const [i, search] of searches.entries()) {
    const relaxed = options.allowRelaxedDNSSearchValidation;
    if (relaxed && search === ".") continue;
    const name = search.endsWith(".") ? search.slice(0, -1) : search;
    const rule = relaxed ? validateDNS1123SubdomainWithUnderscore : validateDNS1123Subdomain;
    errors.push(...rule(name, at.index(i)));
  }
  return errors;
}

function validateGates(spec: PodSpec, at: Path): ErrorList {
  const errors: ErrorList = [];
  for (const [i, { conditionType = "" }] of (spec.readinessGates ?? []).entries()) {
    const path = at.child("readinessGates").index(i).child("conditionType");
    errors.push(...validateQualifiedName(conditionType, path));
  }
  const seen = new Set<string>();
  for (const [i, { name = "" }] of (spec.schedulingGates ?? []).entries()) {
    const path = at.child("schedulingGates").index(i);
    errors.push(...validateQualifiedName(name, path));
    if (seen.has(name)) errors.push(duplicate(path, name));
    seen.add(name);
  }
  return errors;
}

/** hostUsers: false keeps the pod out of the host's other namespaces. */
function validateHostUsers(spec: PodSpec, at: Path, options: PodValidationOptions): ErrorList {
  if (spec.hostUsers !== false) return [];
  const detail = "when `hostUsers` is false";
  const errors: ErrorList = [];
  if (spec.hostNetwork && !options.allowUserNamespacesHostNetwork) {
    errors.push(forbidden(at.child("hostNetwork"), detail));
  }
  if (spec.hostPID) errors.push(forbidden(at.child("HostPID"), detail));
  if (spec.hostIPC) errors.push(forbidden(at.child("HostIPC"), detail));
  if (options.allowUserNamespacesWithVolumeDevices) return errors;
  visitContainers(spec, at, (container, path) => {
    if ((container.volumeDevices ?? []).length === 0) return;
    errors.push(forbidden(path.child("volumeDevices"), detail));
  });
  return errors;
}

const HOSTNAME_MAX = 64;

/** Fields that hold names. */
function validateNames(spec: PodSpec, at: Path): ErrorList {
  const errors: ErrorList = [];
  const { hostnameOverride } = spec;
  if (hostnameOverride !== undefined) {
    const path = at.child("hostnameOverride");
    if (spec.setHostnameAsFQDN) {
      errors.push(forbidden(path, "may not be specified when setHostnameAsFQDN is true"));
    }
    if (spec.hostNetwork) {
      errors.push(forbidden(path, "may not be specified when hostNetwork is true"));
    }
    if (byteLength(hostnameOverride) > HOSTNAME_MAX) errors.push(tooLong(path, HOSTNAME_MAX));
    errors.push(...validateDNS1123Subdomain(hostnameOverride, path));
  }
  for (const name of ["serviceAccountName", "nodeName", "priorityClassName"] as const) {
    const value = spec[name];
    if (value) errors.push(...invalidEach(at.child(name), value, isDNS1123Subdomain(value)));
  }
  for (const name of ["hostname", "subdomain"] as const) {
    const value = spec[name];
    if (value) errors.push(...validateDNS1123Label(value, at.child(name)));
  }
  const { runtimeClassName } = spec;
  if (runtimeClassName !== undefined) {
    errors.push(...validateDNS1123Subdomain(runtimeClassName, at.child("runtimeClassName")));
  }
  return errors;
}

function validateRest(spec: PodSpec, at: Path, options: PodValidationOptions): ErrorList {
  const errors: ErrorList = [];
  const seconds = spec.activeDeadlineSeconds;
  if (seconds !== undefined && (seconds < 1 || seconds > MAX_INT32)) {
    const path = at.child("activeDeadlineSeconds");
    errors.push(invalid(path, seconds, inclusiveRangeError(1, MAX_INT32)));
  }
  const allowComparison = options.allowTaintTolerationComparisonOperators;
  errors.push(
    ...validateTolerations(spec.tolerations, at.child("tolerations"), allowComparison),
    ...validateHostAliases(spec.hostAliases, at.child("hostAliases"), options),
  );
  if (spec.preemptionPolicy !== undefined) {
    const path = at.child("preemptionPolicy");
    errors.push(...requiredOneOf(spec.preemptionPolicy, PREEMPTION_POLICIES, path));
  }
  if (spec.overhead !== undefined) {
    errors.push(...validateOverhead(spec.overhead, at.child("overhead"), options));
  }
  return errors;
}

/** overhead of pods and RuntimeClasses: the rules of a container's limits. */
export function validateOverhead(
  overhead: Readonly<Record<string, string>>,
  at: Path,
  options: PodValidationOptions,
): ErrorList {
  return validateContainerResourceRequirements({ limits: overhead }, new Set(), at, options);
}

function validateHostAliases(
  aliases: readonly HostAlias[] | undefined,
  at: Path,
  options: PodValidationOptions,
): ErrorList {
  const errors: ErrorList = [];
  for (const [i, { ip = "", hostnames = [] }] of (aliases ?? []).entries()) {
    const path = at.index(i);
    errors.push(...validateIPForLegacyField(path.child("ip"), ip, [], options.strictIPs));
    for (const [j, name] of hostnames.entries()) {
      errors.push(...validateDNS1123Subdomain(name, path.child("hostnames").index(j)));
    }
  }
  return errors;
}

function validateSchedulingGroup(spec: PodSpec, at: Path): ErrorList {
  if (spec.schedulingGroup === undefined) return [];
  const name = spec.schedulingGroup.podGroupName;
  const path = at.child("podGroupName");
  if (name === undefined) {
    return [invalid(path, undefined, "must specify one of: `podGroupName`")];
  }
  return validateDNS1123Subdomain(name, path);
}

/** Variables read from files need a volume of type emptyDir. */
function validateFileKeyVolumes(spec: PodSpec, at: Path): ErrorList {
  const errors: ErrorList = [];
  const volumes = new Map((spec.volumes ?? []).map((volume) => [volume.name ?? "", volume]));
  visitContainers(spec, at, (container, path) => {
    for (const [i, variable] of (container.env ?? []).entries()) {
      const ref = variable.valueFrom?.fileKeyRef;
      if (ref === undefined) continue;
      const { volumeName = "" } = ref;
      const where = path.child("env").index(i).child("valueFrom").child("fileKeyRef", "volumeName");
      const volume = volumes.get(volumeName);
      if (volume === undefined) errors.push(notFound(where, volumeName));
      else if (volume.emptyDir === undefined) {
        errors.push(invalid(where, volumeName, "referenced volume must be of type emptyDir"));
      }
    }
  });
  return errors;
}
