/** Upstream: pkg/registry/core/service/strategy.go; pkg/api/service/warnings.go. */
import { Path } from "../../../apimachinery/validation/field.ts";
import { warningsForCIDR, warningsForIP } from "../../../apimachinery/validation/ip.ts";
import { nameIsDNSLabel } from "../../../apimachinery/validation/object-meta.ts";
import { setServiceDefaults } from "../../../apis/core/v1/defaults/service.ts";
import type { Service } from "../../../apis/core/v1/types.ts";
import {
  TOPOLOGY_HINTS,
  TOPOLOGY_MODE,
  validateService,
  validateServiceStatusUpdate,
  validateServiceUpdate,
} from "../../../apis/core/v1/validation/service.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import { type Kube, keepFields } from "../../strategy-parts.ts";
import { serviceHooks } from "./hooks.ts";
import { dropTypeDependentFields } from "./linked-fields.ts";

function warningsForService({ metadata, spec = {} }: Kube<Service>): string[] {
  const warnings: string[] = [];
  const at = Path.root("spec");
  if (metadata?.annotations?.[TOPOLOGY_HINTS] !== undefined) {
    const instead = `please use ${TOPOLOGY_MODE} instead`;
    warnings.push(`annotation ${TOPOLOGY_HINTS} is deprecated, ${instead}`);
  }
  const { clusterIP = "", clusterIPs = [], externalIPs = [], type } = spec;
  if (clusterIP !== "" && clusterIP !== "None") {
    for (const [i, ip] of clusterIPs.entries()) {
      warnings.push(...warningsForIP(at.child("clusterIPs").index(i), ip));
    }
  }
  const isHeadless = type === "ClusterIP" && clusterIP === "None";
  if (isHeadless) {
    const ignored = (what: string) =>
      warnings.push(`spec.${what} is ignored for headless services`);
    if (spec.loadBalancerIP) ignored("loadBalancerIP");
    if (externalIPs.length > 0) ignored("externalIPs");
    if (spec.sessionAffinity !== "None") ignored("SessionAffinity");
  }
  for (const [i, ip] of externalIPs.entries()) {
    warnings.push(...warningsForIP(at.child("externalIPs").index(i), ip));
  }
  if (externalIPs.length > 0 && !isHeadless && type !== "ExternalName") {
    const may = "may no longer be implemented in some clusters";
    warnings.push(`spec.externalIPs is deprecated and ${may}`);
  }
  if (spec.loadBalancerIP) {
    warnings.push(...warningsForIP(at.child("loadBalancerIP"), spec.loadBalancerIP));
  }
  for (const [i, cidr] of (spec.loadBalancerSourceRanges ?? []).entries()) {
    warnings.push(...warningsForCIDR(at.child("loadBalancerSourceRanges").index(i), cidr));
  }
  if (type === "ExternalName" && externalIPs.length > 0) {
    warnings.push('spec.externalIPs is ignored when spec.type is "ExternalName"');
  }
  if (type !== "ExternalName" && spec.externalName) {
    warnings.push('spec.externalName is ignored when spec.type is not "ExternalName"');
  }
  if (spec.trafficDistribution === "PreferClose") {
    const instead = 'use "PreferSameZone"';
    warnings.push(`spec.trafficDistribution: "PreferClose" is deprecated; ${instead}`);
  }
  return warnings;
}

export const registration: ResourceRegistration<Kube<Service>> = {
  group: "",
  resource: "services",
  strategy: {
    validateName: nameIsDNSLabel,
    allowCreateOnUpdate: true,
    returnsDeletedObject: true,
    resetFields: ["status"],
    prepareForCreate(_context, object) {
      delete object.status;
    },
    validate: (_context, object) => validateService(object),
    warningsOnCreate: (_context, object) => warningsForService(object),
    prepareForUpdate(_context, object, old) {
      keepFields(object, old, "status");
      if (object.spec?.type !== "LoadBalancer") delete object.status?.loadBalancer;
      dropTypeDependentFields(object, old);
    },
    validateUpdate: (_context, object, old) => validateServiceUpdate(object, old),
    warningsOnUpdate: (_context, object) => warningsForService(object),
    canonicalize({ spec }) {
      // Upstream hides it whenever it reads such a service.
      if (spec?.type === "ExternalName") delete spec.internalTrafficPolicy;
    },
    subresources: {
      status: {
        prepareForUpdate: (_context, object, old) => keepFields(object, old, "spec"),
        validateUpdate: (_context, object, old) => validateServiceStatusUpdate(object, old),
        resetFields: ["spec"],
      },
    },
  },
  defaults: { v1: setServiceDefaults },
  hooks: serviceHooks,
};
