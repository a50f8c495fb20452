/**
 * The linked fields clusterIP, clusterIPs, ipFamilies and ipFamilyPolicy of a Service; allocation
 * checks them, too. Upstream: ValidateServiceClusterIPsRelatedFields and its neighbours.
 */
import {
  duplicate,
  type ErrorList,
  invalid,
  notSupported,
  Path,
  required,
} from "../../../../apimachinery/validation/field.ts";
import { isIPv6String, validateIPForLegacyField } from "../../../../apimachinery/validation/ip.ts";
import type { Service, ServiceSpec } from "../types.ts";

const FAMILIES = ["IPv4", "IPv6"];
const POLICIES = ["PreferDualStack", "RequireDualStack", "SingleStack"];
const clusterIPsPath = Path.root("spec", "clusterIPs");
const familiesPath = Path.root("spec", "ipFamilies");
const policyPath = Path.root("spec", "ipFamilyPolicy");

/** clusterIPs is exactly `None`. */
export function isHeadless({ clusterIPs = [] }: ServiceSpec): boolean {
  return clusterIPs.length === 1 && clusterIPs[0] === "None";
}

export function validateServiceClusterIPsRelatedFields(service: Service, old?: Service): ErrorList {
  const spec = service.spec ?? {};
  if (spec.type === "ExternalName") return [];
  const clusterIPs = spec.clusterIPs ?? [];
  const errors = [...validateBothForms(spec), ...validateFamilies(spec)];
  const { ipFamilyPolicy } = spec;
  if (ipFamilyPolicy !== undefined && !POLICIES.includes(ipFamilyPolicy)) {
    errors.push(notSupported(policyPath, ipFamilyPolicy, POLICIES));
  }
  const addressErrors = validateAddresses(clusterIPs, old?.spec?.clusterIPs ?? []);
  errors.push(...addressErrors);
  if (clusterIPs.length > 2) {
    errors.push(invalid(clusterIPsPath, clusterIPs, "may only hold up to 2 values"));
  }
  // Wrong addresses would only bring further errors of no use.
  if (addressErrors.length > 0) return errors;
  if (clusterIPs.length > 1) {
    const [first = "", second = ""] = clusterIPs;
    const isDual = clusterIPs.length === 2 && isIPv6String(first) !== isIPv6String(second);
    const hasBoth = new Set(clusterIPs.map(isIPv6String)).size === 2;
    if (!isDual && !hasBoth) {
      const detail = "may specify no more than one IP for each IP family";
      errors.push(invalid(clusterIPsPath, clusterIPs, detail));
    }
  }
  if (!isHeadless(spec)) errors.push(...validateFamiliesOfAddresses(spec));
  return errors;
}

function validateBothForms({ clusterIP = "", clusterIPs = [] }: ServiceSpec): ErrorList {
  if (clusterIP === "") {
    if (clusterIPs.length === 0) return [];
    const detail = "must be empty when `clusterIP` is not specified";
    return [invalid(clusterIPsPath, clusterIPs, detail)];
  }
  if (clusterIPs.length === 0) return [required(clusterIPsPath)];
  if (clusterIPs[0] === clusterIP) return [];
  return [invalid(clusterIPsPath, clusterIPs, "first value must match `clusterIP`")];
}

function validateFamilies({ ipFamilies = [] }: ServiceSpec): ErrorList {
  const errors: ErrorList = [];
  const seen = new Set<string>();
  for (const [i, family] of ipFamilies.entries()) {
    const at = familiesPath.index(i);
    if (!FAMILIES.includes(family)) errors.push(notSupported(at, family, FAMILIES));
    if (seen.has(family)) errors.push(duplicate(at, family));
    seen.add(family);
  }
  return errors;
}

function validateAddresses(clusterIPs: readonly string[], known: readonly string[]): ErrorList {
  const errors: ErrorList = [];
  for (const [i, ip] of clusterIPs.entries()) {
    if (i === 0 && ip === "None") {
      if (clusterIPs.length > 1) {
        const detail = "'None' must be the first and only value";
        errors.push(invalid(clusterIPsPath, clusterIPs, detail));
      }
      continue;
    }
    errors.push(...validateIPForLegacyField(clusterIPsPath.index(i), ip, known));
  }
  return errors;
}

function validateFamiliesOfAddresses({ clusterIPs = [], ipFamilies = [] }: ServiceSpec): ErrorList {
  const errors: ErrorList = [];
  for (const [i, ip] of clusterIPs.entries()) {
    const family = ipFamilies[i];
    if (family === undefined) break;
    const isV6 = isIPv6String(ip);
    if ((family === "IPv4" && isV6) || (family === "IPv6" && !isV6)) {
      const detail = `expected an ${family} value as indicated by \`ipFamilies[${i}]\``;
      errors.push(invalid(clusterIPsPath.index(i), ip, detail));
    }
  }
  return errors;
}

const ONCE_SET = "may not change once set";

/** A second address may come and go; the first stays, unless the type is or was ExternalName. */
export function validateUpgradeDowngradeClusterIPs(old: ServiceSpec, spec: ServiceSpec): ErrorList {
  if (old.type === "ExternalName" || spec.type === "ExternalName") return [];
  if (isHeadless(old) && isHeadless(spec)) return [];
  const [before, now] = [old.clusterIPs ?? [], spec.clusterIPs ?? []];
  const errors: ErrorList = [];
  const changed = (i: number) => errors.push(invalid(clusterIPsPath.index(i), now, ONCE_SET));
  if (before.length === now.length) {
    for (const [i, ip] of before.entries()) if (ip !== now[i]) changed(i);
    return errors;
  }
  if (before.length > 0 && now.length > 0 && before[0] !== now[0]) changed(0);
  if (before.length < now.length) return errors;
  if (now.length === 0) {
    errors.unshift(invalid(clusterIPsPath.index(0), now, "primary clusterIP can not be unset"));
  }
  if (now.length === 1 && spec.ipFamilyPolicy !== "SingleStack") {
    const detail = "must be set to 'SingleStack' when releasing the secondary clusterIP";
    errors.push(invalid(policyPath, spec.ipFamilyPolicy, detail));
  }
  return errors;
}

/** The same of families; headless services may change them. */
export function validateUpgradeDowngradeIPFamilies(old: ServiceSpec, spec: ServiceSpec): ErrorList {
  if (old.type === "ExternalName" || spec.type === "ExternalName") return [];
  if (isHeadless(old) !== isHeadless(spec) || isHeadless(spec)) return [];
  const [before, now] = [old.ipFamilies ?? [], spec.ipFamilies ?? []];
  const at = familiesPath.index(0);
  const errors: ErrorList = [];
  if (before.length === now.length) {
    for (const [i, family] of before.entries()) {
      if (family !== now[i]) errors.push(invalid(at, now, ONCE_SET));
    }
    return errors;
  }
  const shrinks = before.length > now.length;
  if (shrinks && (spec.clusterIPs ?? []).length === 0) {
    errors.push(invalid(at, now, "primary ipFamily can not be unset"));
  }
  if (before.length > 0 && now.length > 0 && before[0] !== now[0]) {
    errors.push(invalid(at, spec.clusterIPs, ONCE_SET));
  }
  if (shrinks && now.length === 1 && spec.ipFamilyPolicy !== "SingleStack") {
    const detail = "must be set to 'SingleStack' when releasing the secondary ipFamily";
    errors.push(invalid(policyPath, spec.ipFamilyPolicy, detail));
  }
  return errors;
}
