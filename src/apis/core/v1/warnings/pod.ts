/** What clients are told about pods and templates of pods. Upstream: pkg/api/pod/warnings.go. */

import type { ObjectMeta } from "../../../../apimachinery/meta/types.ts";
import { Path, quote } from "../../../../apimachinery/validation/field.ts";
import { warningsForIP } from "../../../../apimachinery/validation/ip.ts";
import { isDNS1123Label, isValidLabelValue } from "../../../../apimachinery/validation/names.ts";
import { deprecatedNodeLabel } from "../../../node/v1/node-labels.ts";
import type { NodeSelectorTerm, Pod, PodSpec, PodTemplateSpec } from "../types.ts";
import { visitContainers } from "../validation/windows.ts";
import { envWarnings, fractionWarnings, portWarnings, resourceWarnings } from "./containers.ts";
import { overlapWarnings, volumeWarnings } from "./volumes.ts";

const DEPRECATED_ANNOTATIONS: readonly [string, string][] = [
  [
    "scheduler.alpha.kubernetes.io/critical-pod",
    'non-functional in v1.16+; use the "priorityClassName" field instead',
  ],
  [
    "security.alpha.kubernetes.io/sysctls",
    'non-functional in v1.11+; use the "sysctls" field instead',
  ],
  [
    "security.alpha.kubernetes.io/unsafe-sysctls",
    'non-functional in v1.11+; use the "sysctls" field instead',
  ],
];
const SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod";
const SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/";
const APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/";
const NO_SECCOMP = 'non-functional in v1.27+; use the "seccompProfile" field instead';
const NO_APP_ARMOR = 'deprecated since v1.30; use the "appArmorProfile" field instead';
const NULL_SELECTOR = "a null labelSelector results in matching no pod";

/** Warnings of a Pod. */
export function podWarnings(pod: Pod): string[] {
  return warningsOf(pod.spec ?? {}, pod.metadata ?? {}, Path.root(), false);
}

/** Warnings of a template at `at`. */
export function podTemplateWarnings(template: PodTemplateSpec | undefined, at: Path): string[] {
  return warningsOf(template?.spec ?? {}, template?.metadata ?? {}, at, true);
}

/** A name that makes a poor hostname. `use` is what the object's name is used in. */
export function nameWarnings(name: string | undefined, use: string): string[] {
  const problems = isDNS1123Label(name ?? "");
  if (problems.length === 0) return [];
  const result = "which can result in surprising behavior; a DNS label is recommended";
  return [`metadata.name: this is used in ${use}, ${result}: [${problems.join(" ")}]`];
}

function warningsOf(spec: PodSpec, meta: ObjectMeta, root: Path, isTemplate: boolean): string[] {
  const at = root.child("spec");
  const annotations = meta.annotations ?? {};
  const path = root.child("metadata", "annotations");
  const found = [
    ...nodeLabelWarnings(spec, at),
    ...spreadWarnings(spec, at.child("topologySpreadConstraints")),
  ];
  for (const [key, message] of DEPRECATED_ANNOTATIONS) {
    if (key in annotations) found.push(`${path.key(key)}: ${message}`);
  }
  found.push(
    ...volumeWarnings(spec.volumes, at.child("volumes")),
    ...overlapWarnings(spec.volumes),
    ...duplicateWarnings(spec, at),
    ...fractionWarnings(spec.overhead, at.child("overhead")),
  );
  if (spec.securityContext?.seccompProfile === undefined && SECCOMP_POD in annotations) {
    found.push(`${path.key(SECCOMP_POD)}: ${NO_SECCOMP}`);
  }
  visitContainers(spec, at, (container, where) => {
    const { name = "", securityContext } = container;
    const seccomp = SECCOMP_CONTAINER + name;
    if (securityContext?.seccompProfile === undefined && seccomp in annotations) {
      found.push(`${path.key(seccomp)}: ${NO_SECCOMP}`);
    }
    const appArmor = APP_ARMOR + name;
    const profile = spec.securityContext?.appArmorProfile ?? securityContext?.appArmorProfile;
    if (isTemplate && profile === undefined && appArmor in annotations) {
      found.push(`${path.key(appArmor)}: ${NO_APP_ARMOR}`);
    }
    found.push(...resourceWarnings(container, where), ...envWarnings(container.env, where));
  });
  found.push(...portWarnings(spec, at));
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) {
    const detail = "must be >= 0; negative values are invalid and will be treated as 1";
    found.push(`${at.child("terminationGracePeriodSeconds")}: ${detail}`);
  }
  return [...found, ...podAffinityWarnings(spec, at.child("affinity")), ...ipWarnings(spec, at)];
}

function nodeLabelWarnings({ nodeSelector, affinity }: PodSpec, at: Path): string[] {
  const found: string[] = [];
  for (const key of Object.keys(nodeSelector ?? {})) {
    const message = deprecatedNodeLabel(key);
    if (message !== undefined) found.push(`${at.child("nodeSelector").key(key)}: ${message}`);
  }
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const preferred = affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution;
  const path = at.child("affinity", "nodeAffinity");
  const terms = path.child("requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms");
  for (const [i, term] of (required?.nodeSelectorTerms ?? []).entries()) {
    found.push(...termWarnings(term, terms.index(i), false));
  }
  const weighted = path.child("preferredDuringSchedulingIgnoredDuringExecution");
  for (const [i, { preference = {} }] of (preferred ?? []).entries()) {
    found.push(...termWarnings(preference, weighted.index(i).child("preference"), true));
  }
  return found;
}

function termWarnings(term: NodeSelectorTerm, at: Path, checksValues: boolean): string[] {
  const found: string[] = [];
  for (const [i, { key = "", values }] of (term.matchExpressions ?? []).entries()) {
    const path = at.child("matchExpressions").index(i);
    const message = deprecatedNodeLabel(key);
    if (message !== undefined) found.push(`${path.child("key")}: ${key} is ${message}`);
    if (!checksValues) continue;
    for (const [j, value] of (values ?? []).entries()) {
      for (const problem of isValidLabelValue(value)) {
        found.push(`${path.child("values").index(j)}: ${value} is invalid, ${problem}`);
      }
    }
  }
  return found;
}

function spreadWarnings({ topologySpreadConstraints }: PodSpec, at: Path): string[] {
  const found: string[] = [];
  for (const [i, constraint] of (topologySpreadConstraints ?? []).entries()) {
    const { topologyKey: key = "", labelSelector } = constraint;
    const message = deprecatedNodeLabel(key);
    const path = at.index(i);
    if (message !== undefined) found.push(`${path.child("topologyKey")}: ${key} is ${message}`);
    if (labelSelector === undefined) found.push(`${path.child("labelSelector")}: ${NULL_SELECTOR}`);
  }
  return found;
}

function duplicateWarnings(
  { hostAliases = [], imagePullSecrets = [] }: PodSpec,
  at: Path,
): string[] {
  const found: string[] = [];
  const ips = hostAliases.map(({ ip = "" }) => ip);
  for (const i of repeated(ips)) {
    const path = at.child("hostAliases").index(i).child("ip");
    found.push(`${path}: duplicate ip ${quote(ips[i] ?? "")}`);
  }
  const names = imagePullSecrets.map(({ name = "" }) => name);
  const nameAt = (i: number) => at.child("imagePullSecrets").index(i).child("name");
  for (const i of repeated(names)) {
    found.push(`${nameAt(i)}: duplicate name ${quote(names[i] ?? "")}`);
  }
  for (const [i, name] of names.entries()) {
    if (name === "") found.push(`${nameAt(i)}: invalid empty name ""`);
  }
  return found;
}

/** The indexes of values that came before. */
function repeated(values: readonly string[]): number[] {
  const seen = new Set<string>();
  const found: number[] = [];
  for (const [i, value] of values.entries()) {
    if (seen.has(value)) found.push(i);
    seen.add(value);
  }
  return found;
}

function podAffinityWarnings({ affinity }: PodSpec, at: Path): string[] {
  const found: string[] = [];
  for (const side of ["podAffinity", "podAntiAffinity"] as const) {
    const { requiredDuringSchedulingIgnoredDuringExecution: required = [], ...rest } =
      affinity?.[side] ?? {};
    const weighted = rest.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    const path = at.child(side);
    for (const [i, { labelSelector }] of required.entries()) {
      const where = path.child("requiredDuringSchedulingIgnoredDuringExecution").index(i);
      if (labelSelector === undefined) {
        found.push(`${where.child("labelSelector")}: ${NULL_SELECTOR}`);
      }
    }
    for (const [i, { podAffinityTerm }] of weighted.entries()) {
      const where = path.child("preferredDuringSchedulingIgnoredDuringExecution").index(i);
      if (podAffinityTerm?.labelSelector === undefined) {
        found.push(`${where.child("podAffinityTerm", "labelSelector")}: ${NULL_SELECTOR}`);
      }
    }
  }
  return found;
}

function ipWarnings({ dnsConfig, hostAliases }: PodSpec, at: Path): string[] {
  const servers = (dnsConfig?.nameservers ?? []).flatMap((server, i) =>
    warningsForIP(at.child("dnsConfig", "nameservers").index(i), server),
  );
  const aliases = (hostAliases ?? []).flatMap(({ ip = "" }, i) =>
    warningsForIP(at.child("hostAliases").index(i).child("ip"), ip),
  );
  return [...servers, ...aliases];
}
