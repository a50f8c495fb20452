/** NetworkPolicies. Upstream: pkg/apis/networking/validation/validation.go. */
import {
  type ErrorList,
  forbidden,
  invalid,
  notSupported,
  Path,
  required,
} from "../../../../apimachinery/validation/field.ts";
import {
  type ParsedCIDR,
  parseCIDRSloppy,
  validateCIDRForLegacyField,
  warningsForCIDR,
} from "../../../../apimachinery/validation/ip.ts";
import {
  type LabelSelectorOptions,
  labelSelectorHasInvalidLabelValue,
  validateLabelSelector,
} from "../../../../apimachinery/validation/labels.ts";
import { isValidPortName, isValidPortNum } from "../../../../apimachinery/validation/names.ts";
import { invalidEach } from "../../../validation/common.ts";
import type { IPBlock, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from "../types.ts";

const PROTOCOLS = ["TCP", "UDP", "SCTP"];
const POLICY_TYPES = ["Ingress", "Egress"];
const specPath = Path.root("spec");

interface Options extends LabelSelectorOptions {
  /** CIDRs of the stored policy: they stay valid however they are spelled. */
  readonly knownCIDRs: readonly string[];
}

interface Rule {
  readonly at: Path;
  readonly ports: readonly NetworkPolicyPort[];
  readonly peers: readonly NetworkPolicyPeer[];
  readonly peersName: "from" | "to";
}

function rulesOf({ spec = {} }: NetworkPolicy): Rule[] {
  return [
    ...(spec.ingress ?? []).map(({ ports = [], from = [] }, i): Rule => {
      const at = specPath.child("ingress").index(i);
      return { at, ports, peers: from, peersName: "from" };
    }),
    ...(spec.egress ?? []).map(({ ports = [], to = [] }, i): Rule => {
      const at = specPath.child("egress").index(i);
      return { at, ports, peers: to, peersName: "to" };
    }),
  ];
}

/** `old`: what it has wrong already is not held against the new policy. */
export function validateNetworkPolicy(policy: NetworkPolicy, old?: NetworkPolicy): ErrorList {
  const blocks = old === undefined ? [] : rulesOf(old).flatMap(({ peers }) => peers);
  const options: Options = {
    allowInvalidLabelValueInSelector: labelSelectorHasInvalidLabelValue(old?.spec?.podSelector),
    knownCIDRs: blocks.flatMap(({ ipBlock }) => [ipBlock?.cidr ?? "", ...(ipBlock?.except ?? [])]),
  };
  const spec = policy.spec ?? {};
  const errors = validateLabelSelector(spec.podSelector, options, specPath.child("podSelector"));
  for (const { at, ports, peers, peersName } of rulesOf(policy)) {
    for (const [i, port] of ports.entries()) {
      errors.push(...validatePort(port, at.child("ports").index(i)));
    }
    for (const [i, peer] of peers.entries()) {
      errors.push(...validatePeer(peer, options, at.child(peersName).index(i)));
    }
  }
  return [...errors, ...validatePolicyTypes(spec.policyTypes ?? [])];
}

function validatePolicyTypes(types: readonly string[]): ErrorList {
  const at = specPath.child("policyTypes");
  if (types.length > POLICY_TYPES.length) {
    return [invalid(at, types, "may not specify more than two policyTypes")];
  }
  return types.flatMap((type, i) =>
    POLICY_TYPES.includes(type) ? [] : [notSupported(at.index(i), type, POLICY_TYPES)],
  );
}

function validatePort({ protocol, port, endPort }: NetworkPolicyPort, at: Path): ErrorList {
  const errors: ErrorList = [];
  if (protocol !== undefined && !PROTOCOLS.includes(protocol)) {
    errors.push(notSupported(at.child("protocol"), protocol, PROTOCOLS));
  }
  const portAt = at.child("port");
  const endAt = at.child("endPort");
  if (typeof port === "number") {
    errors.push(...invalidEach(portAt, port, isValidPortNum(port)));
    if (endPort === undefined) return errors;
    // Upstream shows the port, not its end.
    if (endPort < port) {
      errors.push(invalid(endAt, port, "must be greater than or equal to `port`"));
    }
    return [...errors, ...invalidEach(endAt, endPort, isValidPortNum(endPort))];
  }
  if (endPort !== undefined) {
    const why = port === undefined ? "`port` is not specified" : "`port` is non-numeric";
    errors.push(invalid(endAt, endPort, `may not be specified when ${why}`));
  }
  if (port === undefined) return errors;
  return [...errors, ...invalidEach(portAt, port, isValidPortName(port))];
}

function validatePeer(peer: NetworkPolicyPeer, options: Options, at: Path): ErrorList {
  const { podSelector, namespaceSelector, ipBlock } = peer;
  const errors = [
    ...validateLabelSelector(podSelector, options, at.child("podSelector")),
    ...validateLabelSelector(namespaceSelector, options, at.child("namespaceSelector")),
  ];
  const hasSelector = podSelector !== undefined || namespaceSelector !== undefined;
  if (ipBlock === undefined) {
    return hasSelector ? errors : [...errors, required(at, "must specify a peer")];
  }
  errors.push(...validateIPBlock(ipBlock, options, at.child("ipBlock")));
  if (!hasSelector) return errors;
  return [...errors, forbidden(at, "may not specify both ipBlock and another peer")];
}

function validateIPBlock({ cidr = "", except = [] }: IPBlock, options: Options, at: Path) {
  if (cidr === "") return [required(at.child("cidr"))];
  const errors = validateCIDRForLegacyField(at.child("cidr"), cidr, options.knownCIDRs);
  const block = parseCIDRSloppy(cidr);
  if (block === undefined) return errors;
  for (const [i, text] of except.entries()) {
    const exceptAt = at.child("except").index(i);
    errors.push(...validateCIDRForLegacyField(exceptAt, text, options.knownCIDRs));
    const inner = parseCIDRSloppy(text);
    if (inner !== undefined && !isStrictSubset(inner, block)) {
      errors.push(invalid(exceptAt, text, "must be a strict subset of `cidr`"));
    }
  }
  return errors;
}

function isStrictSubset(inner: ParsedCIDR, outer: ParsedCIDR): boolean {
  if (inner.network.length !== outer.network.length) return false;
  if (outer.prefixLength >= inner.prefixLength) return false;
  return inner.network.every((byte, i) => {
    const bits = Math.min(Math.max(outer.prefixLength - i * 8, 0), 8);
    const mask = (0xff << (8 - bits)) & 0xff;
    return (byte & mask) === ((outer.network[i] ?? 0) & mask);
  });
}

/** CIDRs in unusual spellings. */
export function warningsForNetworkPolicy(policy: NetworkPolicy): string[] {
  return rulesOf(policy).flatMap(({ at, peers, peersName }) =>
    peers.flatMap(({ ipBlock }, i) => {
      if (ipBlock === undefined) return [];
      const blockAt = at.child(peersName).index(i).child("ipBlock");
      return [
        ...warningsForCIDR(blockAt.child("cidr"), ipBlock.cidr ?? ""),
        ...(ipBlock.except ?? []).flatMap((cidr, j) =>
          warningsForCIDR(blockAt.child("except").index(j), cidr),
        ),
      ];
    }),
  );
}
