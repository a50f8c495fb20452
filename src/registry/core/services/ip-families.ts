/**
 * Which IP families a Service gets, from what it asks for and what the cluster has. Runs before
 * validation, as part of allocation. Upstream: Allocators.initIPFamilyFields.
 */
import * as api from "../../../apimachinery/api/errors.ts";
import { type ErrorList, invalid, Path } from "../../../apimachinery/validation/field.ts";
import { isIPv6String } from "../../../apimachinery/validation/ip.ts";
import type { ServiceSpec } from "../../../apis/core/v1/types.ts";
import { validateServiceClusterIPsRelatedFields } from "../../../apis/core/v1/validation/service-cluster-ips.ts";
import {
  type IPFamily,
  otherFamily,
  type ServiceObject,
  sameStrings,
  specOf,
} from "./linked-fields.ts";

/** The families that --service-cluster-ip-range gives, the primary one first. */
export type ClusterFamilies = readonly [IPFamily] | readonly [IPFamily, IPFamily];

const policyPath = Path.root("spec", "ipFamilyPolicy");

export function invalidService(service: ServiceObject, errors: ErrorList): api.StatusError {
  return api.invalid({ group: "", kind: "Service" }, service.metadata?.name ?? "", errors);
}

/** Fills in ipFamilyPolicy and ipFamilies. Throws Invalid. */
export function initIPFamilyFields(
  service: ServiceObject,
  oldService: ServiceObject | undefined,
  families: ClusterFamilies,
): void {
  const spec = specOf(service);
  const old = oldService?.spec;
  if (spec.type === "ExternalName" || keepsPreferDualStack(spec, old)) return;
  const isSelectorless = Object.keys(spec.selector ?? {}).length === 0;
  const isOpenHeadless = spec.clusterIP === "None" && isSelectorless;
  spec.ipFamilyPolicy ??=
    old?.ipFamilyPolicy ?? (isOpenHeadless ? "RequireDualStack" : "SingleStack");

  const problems = validateServiceClusterIPsRelatedFields(service, oldService);
  if (problems.length > 0) throw invalidService(service, problems);
  const errors = old === undefined ? [] : followPolicyChange(spec, old);
  errors.push(...checkPolicy(spec), ...inferFamilies(spec, families));
  if (errors.length > 0) throw invalidService(service, errors);

  if (isOpenHeadless) {
    // Whoever writes its endpoints may use both families, whatever the cluster has.
    spec.ipFamilies = addSecondFamily(spec, families[0]);
    return;
  }
  checkConfigured(service, spec, families);
  if ((spec.ipFamilies ?? []).length === 0) spec.ipFamilies = [families[0]];
  if (families.length === 2) spec.ipFamilies = addSecondFamily(spec, families[0]);
}

function addSecondFamily(spec: ServiceSpec, primary: IPFamily): string[] {
  const families = spec.ipFamilies ?? [];
  const [first = primary] = families;
  if (families.length >= 2 || spec.ipFamilyPolicy === "SingleStack") {
    return families.length === 0 ? [primary] : families;
  }
  return [first, otherFamily(first as IPFamily)];
}

/** Such a service is neither widened nor narrowed because the cluster changed. */
export function keepsPreferDualStack(spec: ServiceSpec, old: ServiceSpec | undefined): boolean {
  if (old === undefined || spec.ipFamilyPolicy !== "PreferDualStack") return false;
  if (old.type !== spec.type) return false;
  if (!["ClusterIP", "NodePort", "LoadBalancer"].includes(spec.type ?? "")) return false;
  if (old.ipFamilyPolicy !== undefined && old.ipFamilyPolicy !== "PreferDualStack") return false;
  return (
    sameStrings(old.clusterIPs, spec.clusterIPs) && sameStrings(old.ipFamilies, spec.ipFamilies)
  );
}

/** SingleStack releases the second family by itself; with any other policy that is a mistake. */
function followPolicyChange(spec: ServiceSpec, old: ServiceSpec): ErrorList {
  const clusterIPs = spec.clusterIPs ?? [];
  const ipFamilies = spec.ipFamilies ?? [];
  if (spec.ipFamilyPolicy === "SingleStack") {
    if (sameStrings(old.clusterIPs, clusterIPs)) spec.clusterIPs = clusterIPs.slice(0, 1);
    if (sameStrings(old.ipFamilies, ipFamilies)) spec.ipFamilies = ipFamilies.slice(0, 1);
    return [];
  }
  const errors: ErrorList = [];
  const isReduced = (now: readonly string[], before: readonly string[] = []) =>
    now.length > 0 && now.length < before.length;
  if (isReduced(clusterIPs, old.clusterIPs)) {
    const detail = "must be 'SingleStack' to release the secondary cluster IP";
    errors.push(invalid(policyPath, spec.ipFamilyPolicy, detail));
  }
  if (isReduced(ipFamilies, old.ipFamilies)) {
    const detail = "must be 'SingleStack' to release the secondary IP family";
    errors.push(invalid(policyPath, spec.ipFamilyPolicy, detail));
  }
  return errors;
}

function checkPolicy({ ipFamilyPolicy, clusterIPs = [], ipFamilies = [] }: ServiceSpec): ErrorList {
  if (ipFamilyPolicy !== "SingleStack") return [];
  const say = (what: string) =>
    invalid(
      policyPath,
      ipFamilyPolicy,
      `must be 'RequireDualStack' or 'PreferDualStack' when multiple ${what} are specified`,
    );
  return [
    ...(clusterIPs.length === 2 ? [say("cluster IPs")] : []),
    ...(ipFamilies.length === 2 ? [say("IP families")] : []),
  ];
}

/** An address says its family where the client does not. */
function inferFamilies(spec: ServiceSpec, families: ClusterFamilies): ErrorList {
  const errors: ErrorList = [];
  const clusterIPs = spec.clusterIPs ?? [];
  for (const [i, ip] of clusterIPs.entries()) {
    if (ip === "None") break;
    const family: IPFamily = isIPv6String(ip) ? "IPv6" : "IPv4";
    spec.ipFamilies ??= [];
    if (i < spec.ipFamilies.length) continue;
    if (families.includes(family)) spec.ipFamilies.push(family);
    else {
      const detail = `${family} is not configured on this cluster`;
      errors.push(invalid(Path.root("spec", "clusterIPs").index(i), clusterIPs, detail));
    }
  }
  return errors;
}

function checkConfigured(
  service: ServiceObject,
  spec: ServiceSpec,
  families: ClusterFamilies,
): void {
  const errors: ErrorList = [];
  if (spec.ipFamilyPolicy === "RequireDualStack" && families.length < 2) {
    const detail = "this cluster is not configured for dual-stack services";
    errors.push(invalid(policyPath, spec.ipFamilyPolicy, detail));
  }
  for (const [i, family] of (spec.ipFamilies ?? []).entries()) {
    if (families.includes(family as IPFamily)) continue;
    const at = Path.root("spec", "ipFamilies").index(i);
    errors.push(invalid(at, family, "not configured on this cluster"));
  }
  if (errors.length > 0) throw invalidService(service, errors);
}
