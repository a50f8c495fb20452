/** Endpoints. Upstream: ValidateEndpoints. */
import {
  type ErrorList,
  invalid,
  notSupported,
  Path,
  required,
} from "../../../../apimachinery/validation/field.ts";
import { validateIPForLegacyField, warningsForIP } from "../../../../apimachinery/validation/ip.ts";
import {
  isDNS1123Label,
  isDNS1123Subdomain,
  isQualifiedName,
  isValidPortNum,
} from "../../../../apimachinery/validation/names.ts";
import type { EndpointAddress, EndpointPort, EndpointSubset, Endpoints } from "../types.ts";
import { validateNonSpecialIP } from "./special-ip.ts";

/** Protocols of ports, sorted as errors list them. */
export const SUPPORTED_PORT_PROTOCOLS = ["SCTP", "TCP", "UDP"];

/** Addresses that `old` holds already stay valid however they are spelled. */
export function validateEndpoints(endpoints: Endpoints, old?: Endpoints): ErrorList {
  const known = (old?.subsets ?? []).flatMap(addressesOf).map(({ ip = "" }) => ip);
  const at = Path.root("subsets");
  return (endpoints.subsets ?? []).flatMap((subset, i) =>
    validateSubset(subset, known, at.index(i)),
  );
}

function addressesOf({ addresses = [], notReadyAddresses = [] }: EndpointSubset) {
  return [...addresses, ...notReadyAddresses];
}

function validateSubset(subset: EndpointSubset, known: readonly string[], at: Path): ErrorList {
  const { addresses = [], notReadyAddresses = [], ports = [] } = subset;
  const errors: ErrorList = [];
  if (addresses.length === 0 && notReadyAddresses.length === 0) {
    errors.push(required(at, "must specify `addresses` or `notReadyAddresses`"));
  }
  for (const [i, address] of addresses.entries()) {
    errors.push(...validateAddress(address, known, at.child("addresses").index(i)));
  }
  for (const [i, address] of notReadyAddresses.entries()) {
    errors.push(...validateAddress(address, known, at.child("notReadyAddresses").index(i)));
  }
  for (const [i, port] of ports.entries()) {
    errors.push(...validatePort(port, ports.length > 1, at.child("ports").index(i)));
  }
  return errors;
}

function validateAddress(address: EndpointAddress, known: readonly string[], at: Path): ErrorList {
  const { ip = "", hostname, nodeName } = address;
  const errors = validateIPForLegacyField(at.child("ip"), ip, known);
  if (hostname) {
    for (const message of isDNS1123Label(hostname)) {
      errors.push(invalid(at.child("hostname"), hostname, message));
    }
  }
  if (nodeName !== undefined) {
    for (const message of isDNS1123Subdomain(nodeName)) {
      errors.push(invalid(at.child("nodeName"), nodeName, message));
    }
  }
  return [...errors, ...validateNonSpecialIP(ip, at.child("ip"))];
}

function validatePort(port: EndpointPort, requireName: boolean, at: Path): ErrorList {
  const { name = "", protocol = "", appProtocol, port: number = 0 } = port;
  const errors: ErrorList = [];
  if (name !== "") {
    for (const message of isDNS1123Label(name))
      errors.push(invalid(at.child("name"), name, message));
  } else if (requireName) errors.push(required(at.child("name")));
  for (const message of isValidPortNum(number)) {
    errors.push(invalid(at.child("port"), number, message));
  }
  errors.push(...validateProtocol(protocol, at.child("protocol")));
  if (appProtocol !== undefined) {
    for (const message of isQualifiedName(appProtocol)) {
      errors.push(invalid(at.child("appProtocol"), appProtocol, message));
    }
  }
  return errors;
}

/** TCP, UDP or SCTP. */
export function validateProtocol(protocol: string, at: Path): ErrorList {
  if (protocol === "") return [required(at)];
  if (SUPPORTED_PORT_PROTOCOLS.includes(protocol)) return [];
  return [notSupported(at, protocol, SUPPORTED_PORT_PROTOCOLS)];
}

/** Addresses in unusual spellings. */
export function warningsForEndpoints({ subsets = [] }: Endpoints): string[] {
  const root = Path.root("subsets");
  return subsets.flatMap(({ addresses = [], notReadyAddresses = [] }, i) => {
    const at = root.index(i);
    return [
      ...addresses.flatMap(({ ip = "" }, j) =>
        warningsForIP(at.child("addresses").index(j).child("ip"), ip),
      ),
      ...notReadyAddresses.flatMap(({ ip = "" }, j) =>
        warningsForIP(at.child("notReadyAddresses").index(j).child("ip"), ip),
      ),
    ];
  });
}
