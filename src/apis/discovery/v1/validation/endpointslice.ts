/** EndpointSlices. Upstream: pkg/apis/discovery/validation/validation.go and its strategy. */
import { validateFullyQualifiedDomainName } from "../../../../apimachinery/validation/domains.ts";
import {
  duplicate,
  type ErrorList,
  internal,
  invalid,
  notSupported,
  Path,
  required,
  tooMany,
} from "../../../../apimachinery/validation/field.ts";
import {
  isIPv4String,
  isIPv6String,
  validateIPForLegacyField,
  warningsForIP,
} from "../../../../apimachinery/validation/ip.ts";
import { validateLabels } from "../../../../apimachinery/validation/labels.ts";
import {
  isDNS1123Label,
  isDNS1123Subdomain,
  isQualifiedName,
  isValidLabelValue,
} from "../../../../apimachinery/validation/names.ts";
import { validateImmutableField } from "../../../../apimachinery/validation/object-meta.ts";
import { validateProtocol } from "../../../core/v1/validation/endpoints.ts";
import { validateNonSpecialIP } from "../../../core/v1/validation/special-ip.ts";
import { invalidEach } from "../../../validation/common.ts";
import type { Endpoint, EndpointHints, EndpointPort, EndpointSlice } from "../types.ts";

const ADDRESS_TYPES = ["FQDN", "IPv4", "IPv6"];
const TOPOLOGY_LABELS_MAX = 16;
const ADDRESSES_MAX = 100;
const PORTS_MAX = 20000;
const ENDPOINTS_MAX = 1000;
const HINTS_MAX = 8;

/** `old`: addresses that it holds already stay valid however they are spelled. */
export function validateEndpointSlice(slice: EndpointSlice, old?: EndpointSlice): ErrorList {
  const { addressType = "", endpoints = [], ports = [] } = slice;
  const known = new Set((old?.endpoints ?? []).flatMap(({ addresses = [] }) => addresses));
  return [
    ...validateAddressType(addressType),
    ...validateEndpoints(endpoints, addressType, [...known]),
    ...validatePorts(ports),
  ];
}

function validateAddressType(type: string): ErrorList {
  const at = Path.root("addressType");
  if (type === "") return [required(at)];
  return ADDRESS_TYPES.includes(type) ? [] : [notSupported(at, type, ADDRESS_TYPES)];
}

function validateEndpoints(endpoints: readonly Endpoint[], type: string, known: readonly string[]) {
  const root = Path.root("endpoints");
  if (endpoints.length > ENDPOINTS_MAX) return [tooMany(root, endpoints.length, ENDPOINTS_MAX)];
  const errors: ErrorList = [];
  for (const [i, endpoint] of endpoints.entries()) {
    const at = root.index(i);
    const { addresses = [], deprecatedTopology = {}, nodeName, hostname, hints } = endpoint;
    const addressesAt = at.child("addresses");
    if (addresses.length === 0) {
      errors.push(required(addressesAt, "must contain at least 1 address"));
    } else if (addresses.length > ADDRESSES_MAX) {
      errors.push(tooMany(addressesAt, addresses.length, ADDRESSES_MAX));
    }
    for (const [j, address] of addresses.entries()) {
      errors.push(...validateAddress(address, type, known, addressesAt, j));
    }
    if (nodeName !== undefined) {
      errors.push(...invalidEach(at.child("nodeName"), nodeName, isDNS1123Subdomain(nodeName)));
    }
    errors.push(...validateTopology(deprecatedTopology, at.child("deprecatedTopology")));
    if (hostname !== undefined) {
      errors.push(...invalidEach(at.child("hostname"), hostname, isDNS1123Label(hostname)));
    }
    if (hints !== undefined) errors.push(...validateHints(hints, at.child("hints")));
  }
  return errors;
}

function validateAddress(
  address: string,
  type: string,
  known: readonly string[],
  addressesAt: Path,
  i: number,
): ErrorList {
  const at = addressesAt.index(i);
  if (type === "FQDN") return validateFullyQualifiedDomainName(at, address);
  if (type !== "IPv4" && type !== "IPv6") return [];
  const errors = validateIPForLegacyField(at, address, known);
  if (errors.length > 0) return errors;
  const isOfFamily = type === "IPv4" ? isIPv4String(address) : isIPv6String(address);
  if (!isOfFamily) errors.push(invalid(addressesAt, address, `must be an ${type} address`));
  return [...errors, ...validateNonSpecialIP(address, at)];
}

function validateTopology(topology: Readonly<Record<string, string>>, at: Path): ErrorList {
  const count = Object.keys(topology).length;
  const errors: ErrorList = [];
  if (count > TOPOLOGY_LABELS_MAX) errors.push(tooMany(at, count, TOPOLOGY_LABELS_MAX));
  errors.push(...validateLabels(topology, at));
  if (Object.hasOwn(topology, "topology.kubernetes.io/zone")) {
    const key = "topology.kubernetes.io/zone";
    errors.push(internal(at.key(key), "reserved key was not removed in conversion"));
  }
  return errors;
}

function validateHints({ forZones = [], forNodes = [] }: EndpointHints, at: Path): ErrorList {
  const errors: ErrorList = [];
  const rules = [
    [forZones, at.child("forZones"), isValidLabelValue],
    [forNodes, at.child("forNodes"), isDNS1123Subdomain],
  ] as const;
  for (const [hints, hintsAt, rule] of rules) {
    if (hints.length > HINTS_MAX) {
      return [...errors, tooMany(hintsAt, hints.length, HINTS_MAX)];
    }
    const names = new Set<string>();
    for (const [i, { name = "" }] of hints.entries()) {
      const nameAt = hintsAt.index(i).child("name");
      if (names.has(name)) errors.push(duplicate(nameAt, name));
      errors.push(...invalidEach(nameAt, name, rule(name)));
      names.add(name);
    }
  }
  return errors;
}

function validatePorts(ports: readonly EndpointPort[]): ErrorList {
  const root = Path.root("ports");
  if (ports.length > PORTS_MAX) return [tooMany(root, ports.length, PORTS_MAX)];
  const errors: ErrorList = [];
  const names = new Set<string>();
  for (const [i, { name = "", protocol = "", appProtocol }] of ports.entries()) {
    const at = root.index(i);
    if (name !== "") errors.push(...invalidEach(at.child("name"), name, isDNS1123Label(name)));
    if (names.has(name)) errors.push(duplicate(at.child("name"), name));
    names.add(name);
    errors.push(...validateProtocol(protocol, at.child("protocol")));
    if (appProtocol !== undefined) {
      const problems = isQualifiedName(appProtocol);
      errors.push(...invalidEach(at.child("appProtocol"), appProtocol, problems));
    }
  }
  return errors;
}

export function validateEndpointSliceUpdate(slice: EndpointSlice, old: EndpointSlice): ErrorList {
  const [now, before] = [slice.addressType ?? "", old.addressType ?? ""];
  return [
    ...validateEndpointSlice(slice, old),
    ...validateImmutableField(now, before, Path.root("addressType")),
  ];
}

const CONTROLLERS = ["endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io"];

/** Addresses in unusual spellings; the controllers' own slices never have them. */
export function warningsForEndpointSlice({ metadata, endpoints = [] }: EndpointSlice): string[] {
  const manager = metadata?.labels?.["endpointslice.kubernetes.io/managed-by"] ?? "";
  if (CONTROLLERS.includes(manager)) return [];
  const root = Path.root("endpoints");
  return endpoints.flatMap(({ addresses = [] }, i) =>
    addresses.flatMap((address, j) =>
      warningsForIP(root.index(i).child("addresses").index(j), address),
    ),
  );
}
