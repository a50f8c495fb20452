/** ServiceCIDRs and IPAddresses. Upstream: pkg/apis/networking/validation/validation.go. */
import {
  type ErrorList,
  invalid,
  Path,
  required,
} from "../../../../apimachinery/validation/field.ts";
import {
  parseCIDRSloppy,
  validateCIDR,
  validateIP,
} from "../../../../apimachinery/validation/ip.ts";
import {
  isDNS1123Subdomain,
  isPathSegmentName,
} from "../../../../apimachinery/validation/names.ts";
import {
  FIELD_IMMUTABLE_ERROR,
  type NameRule,
  validateImmutableField,
} from "../../../../apimachinery/validation/object-meta.ts";
import { goStruct, invalidEach } from "../../../validation/common.ts";
import type { IPAddress, ServiceCIDR, ServiceCIDRSpec } from "../types.ts";
import { validateSegment } from "./ingress.ts";

const cidrsPath = Path.root("spec", "cidrs");

export function validateServiceCIDR({ spec = {} }: ServiceCIDR): ErrorList {
  const cidrs = spec.cidrs ?? [];
  if (cidrs.length === 0) return [required(cidrsPath, "at least one CIDR required")];
  if (cidrs.length > 2) return [tooManyCIDRs(spec)];
  const errors = cidrs.flatMap((cidr, i) => validateCIDR(cidrsPath.index(i), cidr));
  const [first, second] = cidrs.map((cidr) => parseCIDRSloppy(cidr)?.ip.bytes.length);
  if (cidrs.length === 2 && first !== undefined && first === second) {
    const detail =
      "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64";
    errors.push(invalid(cidrsPath, cidrs, detail));
  }
  return errors;
}

function tooManyCIDRs(spec: ServiceCIDRSpec) {
  const printed = goStruct(spec, "k8s.io/api/networking/v1.ServiceCIDRSpec");
  return invalid(cidrsPath, printed, "may only hold up to 2 values");
}

/** Fixed, except that a second family may be added. */
export function validateServiceCIDRUpdate(object: ServiceCIDR, old: ServiceCIDR): ErrorList {
  const [now, before] = [object.spec?.cidrs ?? [], old.spec?.cidrs ?? []];
  const isDualStackAdded = before.length === 1 && now.length === 2;
  if (before.length !== now.length && !isDualStackAdded) {
    return [invalid(cidrsPath, object.spec?.cidrs, FIELD_IMMUTABLE_ERROR)];
  }
  const errors: ErrorList = [];
  for (const [i, cidr] of before.entries()) {
    if (cidr === now[i]) continue;
    errors.push(invalid(cidrsPath.index(i), now[i], FIELD_IMMUTABLE_ERROR));
  }
  return isDualStackAdded ? [...errors, ...validateServiceCIDR(object)] : errors;
}

/** The name of an IPAddress is the address, spelled canonically. */
export const nameIsCanonicalIP: NameRule = (name) =>
  validateIP(Path.root(""), name).map(({ detail }) => detail);

export function validateIPAddress({ spec }: IPAddress): ErrorList {
  const at = Path.root("spec", "parentRef");
  const parent = spec?.parentRef;
  if (parent === undefined) return [required(at)];
  const { group = "", resource = "", name = "", namespace = "" } = parent;
  const errors: ErrorList = [];
  if (group !== "")
    errors.push(...invalidEach(at.child("group"), group, isDNS1123Subdomain(group)));
  errors.push(...validateSegment(resource, at.child("resource")));
  errors.push(...validateSegment(name, at.child("name")));
  if (namespace !== "") {
    errors.push(...invalidEach(at.child("namespace"), namespace, isPathSegmentName(namespace)));
  }
  return errors;
}

export function validateIPAddressUpdate(object: IPAddress, old: IPAddress): ErrorList {
  const at = Path.root("spec", "parentRef");
  const [now, before] = [object.spec?.parentRef, old.spec?.parentRef];
  const printed = () => now && goStruct(now, "k8s.io/api/networking/v1.ParentReference");
  return validateImmutableField(now, before, at, printed);
}
