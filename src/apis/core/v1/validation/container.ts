/**
 * Containers: regular, init and ephemeral ones.
 * Upstream: validateContainers, validateInitContainers, validateEphemeralContainers.
 */
import {
  duplicate,
  type ErrorList,
  forbidden,
  invalid,
  notFound,
  notSupported,
  type Path,
  required,
  tooMany,
} from "../../../../apimachinery/validation/field.ts";
import { isValidPortName, isValidPortNum } from "../../../../apimachinery/validation/names.ts";
import { goStruct, invalidEach, validateDNS1123Label } from "../../../validation/common.ts";
import type { Container, ContainerPort, EphemeralContainer, PodSpec, Volume } from "../types.ts";
import { validateEnv, validateEnvFrom } from "./env.ts";
import type { PodValidationOptions } from "./options.ts";
import { validateLifecycle, validateProbes } from "./probe.ts";
import { validatePullPolicy } from "./pull-policy.ts";
import { isRestartableInitContainer, validateContainerResourceRequirements } from "./resources.ts";
import { validateSecurityContext } from "./security-context.ts";
import { validateVolumeDevices, validateVolumeMounts } from "./volume-mounts.ts";

/** What of the pod the rules of its containers need. */
export interface ContainerContext {
  readonly spec: PodSpec;
  readonly volumes: ReadonlyMap<string, Volume>;
  /** Names of spec.resourceClaims. */
  readonly claims: ReadonlySet<string>;
  readonly options: PodValidationOptions;
}

const MESSAGE_POLICIES = ["File", "FallbackToLogsOnError"];

function validateContainerCommon(container: Container, at: Path, context: ContainerContext) {
  const { name = "", terminationMessagePolicy: policy = "" } = container;
  const { spec, volumes, claims, options } = context;
  const errors: ErrorList = [];
  if (name === "") errors.push(required(at.child("name")));
  else errors.push(...validateDNS1123Label(name, at.child("name")));
  if (!container.image) errors.push(required(at.child("image")));
  if (policy === "") errors.push(required(at.child("terminationMessagePolicy")));
  else if (!MESSAGE_POLICIES.includes(policy)) {
    errors.push(notSupported(at.child("terminationMessagePolicy"), policy, MESSAGE_POLICIES));
  }
  const resources = container.resources ?? {};
  errors.push(
    ...validateContainerPorts(container.ports, at.child("ports")),
    ...validateEnv(container.env, at.child("env"), options),
    ...validateEnvFrom(container.envFrom, at.child("envFrom"), options),
    ...validateVolumeMounts(container, volumes, at.child("volumeMounts")),
    ...validateVolumeDevices(container, volumes, at.child("volumeDevices")),
    ...validatePullPolicy(container.imagePullPolicy ?? "", at.child("imagePullPolicy")),
    ...validateContainerResourceRequirements(resources, claims, at.child("resources"), options),
    ...validateResizePolicy(container, spec.restartPolicy ?? "", at.child("resizePolicy")),
    ...validateSecurityContext(
      container.securityContext,
      at.child("securityContext"),
      spec.hostUsers !== false,
      options,
    ),
  );
  return errors;
}

const PROTOCOLS = ["SCTP", "TCP", "UDP"];

function validateContainerPorts(ports: readonly ContainerPort[] | undefined, at: Path): ErrorList {
  const errors: ErrorList = [];
  const names = new Set<string>();
  for (const [i, port] of (ports ?? []).entries()) {
    const path = at.index(i);
    const { name = "", containerPort = 0, hostPort = 0, protocol = "" } = port;
    if (name !== "") {
      const problems = isValidPortName(name);
      errors.push(...invalidEach(path.child("name"), name, problems));
      if (problems.length === 0 && names.has(name))
        errors.push(duplicate(path.child("name"), name));
      if (problems.length === 0) names.add(name);
    }
    if (containerPort === 0) errors.push(required(path.child("containerPort")));
    else {
      const problems = isValidPortNum(containerPort);
      errors.push(...invalidEach(path.child("containerPort"), containerPort, problems));
    }
    if (hostPort !== 0) {
      errors.push(...invalidEach(path.child("hostPort"), hostPort, isValidPortNum(hostPort)));
    }
    if (protocol === "") errors.push(required(path.child("protocol")));
    else if (!PROTOCOLS.includes(protocol)) {
      errors.push(notSupported(path.child("protocol"), protocol, PROTOCOLS));
    }
  }
  return errors;
}

/** No two containers may ask for the same port of the host. */
function validateHostPorts(
  containers: readonly Container[],
  at: Path,
  seen = new Set<string>(),
): ErrorList {
  const errors: ErrorList = [];
  for (const [i, container] of containers.entries()) {
    for (const [j, { hostPort = 0, protocol = "", hostIP = "" }] of (
      container.ports ?? []
    ).entries()) {
      if (hostPort === 0) continue;
      const key = `${protocol}/${hostIP}/${hostPort}`;
      if (seen.has(key)) {
        errors.push(duplicate(at.index(i).child("ports").index(j).child("hostPort"), key));
      }
      seen.add(key);
    }
  }
  return errors;
}

const RESIZE_RESOURCES = ["cpu", "memory"];
const RESIZE_POLICIES = ["NotRequired", "RestartContainer"];

function validateResizePolicy(container: Container, podPolicy: string, at: Path): ErrorList {
  const errors: ErrorList = [];
  const seen = new Set<string>();
  for (const [i, entry] of (container.resizePolicy ?? []).entries()) {
    const { resourceName: name = "", restartPolicy: policy = "" } = entry;
    if (seen.has(name)) errors.push(duplicate(at.index(i), name));
    seen.add(name);
    if (name === "") errors.push(required(at));
    else if (!RESIZE_RESOURCES.includes(name)) {
      errors.push(notSupported(at, name, RESIZE_RESOURCES));
    }
    if (policy === "") errors.push(required(at));
    else if (!RESIZE_POLICIES.includes(policy)) {
      errors.push(notSupported(at, policy, RESIZE_POLICIES));
    }
    if (podPolicy === "Never" && policy !== "NotRequired") {
      const detail = "must be 'NotRequired' when pod `restartPolicy` is 'Never'";
      errors.push(invalid(at, policy, detail));
    }
  }
  return errors;
}

const RESTART_POLICIES = ["Always", "Never", "OnFailure"];
const RULES_MAX = 20;
const EXIT_CODES_MAX = 255;

/** restartPolicy and restartPolicyRules of one container. */
function validateContainerRestartPolicy(
  { restartPolicy: policy, restartPolicyRules: rules = [] }: Container,
  at: Path,
  options: PodValidationOptions,
): ErrorList {
  const errors: ErrorList = [];
  const path = at.child("restartPolicy");
  if (policy === undefined) {
    if (rules.length === 0) return [];
    errors.push(required(path, "must specify restartPolicy when restart rules are used"));
  } else if (!RESTART_POLICIES.includes(policy)) {
    errors.push(notSupported(path, policy, RESTART_POLICIES));
  }
  const list = at.child("restartPolicyRules");
  if (rules.length > RULES_MAX) errors.push(tooMany(list, rules.length, RULES_MAX));
  const actions = options.allowRestartAllContainers
    ? ["Restart", "RestartAllContainers"]
    : ["Restart"];
  for (const [i, { action = "", exitCodes }] of rules.entries()) {
    const rule = list.index(i);
    if (!actions.includes(action)) errors.push(notSupported(rule.child("action"), action, actions));
    const codes = rule.child("exitCodes");
    if (exitCodes === undefined) {
      errors.push(required(codes, "must be specified"));
      continue;
    }
    const { operator = "", values = [] } = exitCodes;
    if (operator !== "In" && operator !== "NotIn") {
      errors.push(notSupported(codes.child("operator"), operator, ["In", "NotIn"]));
    }
    if (values.length > EXIT_CODES_MAX) {
      errors.push(tooMany(codes.child("values"), values.length, EXIT_CODES_MAX));
    }
  }
  return errors;
}

/** containers. */
export function validateContainers(at: Path, context: ContainerContext): ErrorList {
  const { spec, options } = context;
  const containers = spec.containers ?? [];
  if (containers.length === 0) return [required(at)];
  const errors: ErrorList = [];
  const names = new Set<string>();
  for (const [i, container] of containers.entries()) {
    const path = at.index(i);
    const { name = "" } = container;
    errors.push(...validateContainerCommon(container, path, context));
    if (names.has(name)) errors.push(duplicate(path.child("name"), name));
    names.add(name);
    errors.push(...validateServing(container, path, context));
    if (options.allowContainerRestartPolicyRules) {
      errors.push(...validateContainerRestartPolicy(container, path, options));
    } else if (container.restartPolicy !== undefined) {
      const detail = "may not be set for non-init containers";
      errors.push(forbidden(path.child("restartPolicy"), detail));
    }
  }
  return [...errors, ...validateHostPorts(containers, at)];
}

/** Lifecycle and probes: what only containers that keep running have. */
function validateServing(container: Container, at: Path, context: ContainerContext): ErrorList {
  const { spec, options } = context;
  const errors: ErrorList = [];
  if (container.lifecycle !== undefined) {
    errors.push(...validateLifecycle(container.lifecycle, spec, at.child("lifecycle"), options));
  }
  const grace = spec.terminationGracePeriodSeconds;
  return [...errors, ...validateProbes(container, grace, at, options)];
}

/** initContainers. */
export function validateInitContainers(at: Path, context: ContainerContext): ErrorList {
  const { spec, options } = context;
  const errors: ErrorList = [];
  const names = new Set((spec.containers ?? []).map(({ name = "" }) => name));
  for (const [i, container] of (spec.initContainers ?? []).entries()) {
    const path = at.index(i);
    const { name = "" } = container;
    errors.push(...validateContainerCommon(container, path, context));
    errors.push(...validateInitRestartPolicy(container, path, options));
    if (names.has(name)) errors.push(duplicate(path.child("name"), name));
    else if (name !== "") names.add(name);
    errors.push(...validateHostPorts([container], at));
    if (isRestartableInitContainer(container)) {
      errors.push(...validateServing(container, path, context));
    } else {
      const detail = "may not be set for init containers without restartPolicy=Always";
      for (const field of SERVING_FIELDS) {
        if (container[field] !== undefined) errors.push(forbidden(path.child(field), detail));
      }
    }
    errors.push(...validateInitResizePolicy(container, path, options));
  }
  return errors;
}

const SERVING_FIELDS = ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] as const;

function validateInitRestartPolicy(
  container: Container,
  at: Path,
  options: PodValidationOptions,
): ErrorList {
  const { restartPolicy: policy, restartPolicyRules: rules = [] } = container;
  if (!options.allowContainerRestartPolicyRules) {
    if (policy === undefined || policy === "Always") return [];
    return [notSupported(at.child("restartPolicy"), policy, ["Always"])];
  }
  if (policy === "Always" && rules.length > 0 && !options.allowRestartAllContainers) {
    const detail =
      "restartPolicyRules are not allowed for init containers with restart policy Always";
    return [forbidden(at.child("restartPolicyRules"), detail)];
  }
  return validateContainerRestartPolicy(container, at, options);
}

function validateInitResizePolicy(
  container: Container,
  at: Path,
  options: PodValidationOptions,
): ErrorList {
  const errors: ErrorList = [];
  const policies = container.resizePolicy ?? [];
  const list = at.child("resizePolicy");
  if (!options.allowSidecarResizePolicy && policies.length > 0) {
    const values = policies.map((one) => goStruct(one, "k8s.io/api/core/v1.ContainerResizePolicy"));
    errors.push(invalid(list, values, "must not be set for init containers"));
  }
  const isSidecar = isRestartableInitContainer(container);
  if (isSidecar || options.allowRestartContainerForNonSidecarInitContainer) return errors;
  for (const [i, { restartPolicy }] of policies.entries()) {
    if (restartPolicy !== "RestartContainer") continue;
    const detail = "must not be set to 'RestartContainer' for non-sidecar initContainers";
    errors.push(invalid(list.index(i).child("restartPolicy"), restartPolicy, detail));
  }
  return errors;
}

/** What ephemeral containers may not have; in upstream's order of fields. */
const EPHEMERAL_FORBIDDEN = [
  "ports",
  "resources",
  "resizePolicy",
  "restartPolicy",
  "restartPolicyRules",
  "livenessProbe",
  "readinessProbe",
  "startupProbe",
  "lifecycle",
] as const;
const EPHEMERAL_DETAIL = "cannot be set for an Ephemeral Container";

/** ephemeralContainers. */
export function validateEphemeralContainers(at: Path, context: ContainerContext): ErrorList {
  const { spec } = context;
  const errors: ErrorList = [];
  const others = new Set(
    [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map(({ name = "" }) => name),
  );
  const names = new Set(others);
  for (const [i, container] of (spec.ephemeralContainers ?? []).entries()) {
    const path = at.index(i);
    const { name = "", targetContainerName: target = "" } = container;
    errors.push(...validateContainerCommon(container, path, context));
    errors.push(...validateImageSpaces(container, path));
    if (names.has(name)) errors.push(duplicate(path.child("name"), name));
    names.add(name);
    if (target !== "" && !others.has(target)) {
      errors.push(notFound(path.child("targetContainerName"), target));
    }
    errors.push(...validateEphemeralFields(container, path));
  }
  return errors;
}

function validateEphemeralFields(container: EphemeralContainer, at: Path): ErrorList {
  const errors: ErrorList = [];
  for (const field of EPHEMERAL_FORBIDDEN) {
    const value = container[field];
    if (value === undefined) continue;
    if (field === "resources" && Object.keys(value).length === 0) continue;
    errors.push(forbidden(at.child(field), EPHEMERAL_DETAIL));
  }
  for (const [i, mount] of (container.volumeMounts ?? []).entries()) {
    const path = at.child("volumeMounts").index(i);
    for (const field of ["subPath", "subPathExpr"] as const) {
      if (mount[field]) errors.push(forbidden(path.child(field), EPHEMERAL_DETAIL));
    }
  }
  return errors;
}

/** Pods, unlike templates, may not have blanks around an image's name. */
export function validateImageSpaces({ image = "" }: Container, at: Path): ErrorList {
  if (image.trim() === image) return [];
  return [invalid(at.child("image"), image, "must not have leading or trailing whitespace")];
}
