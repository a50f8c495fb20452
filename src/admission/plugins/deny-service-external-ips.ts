/**
 * An external IP takes traffic meant for somebody else: no service gets a new one.
 * Upstream: plugin/pkg/admission/network/denyserviceexternalips.
 */
import type { Service } from "../../apis/core/v1/types.ts";
import { deny, isResource } from "../errors.ts";
import type { AdmissionPlugin, DeepReadonly } from "../plugin.ts";

export const denyServiceExternalIps: AdmissionPlugin = {
  name: "DenyServiceExternalIPs",

  handles(attributes) {
    const { operation } = attributes;
    const isWrite = operation === "CREATE" || operation === "UPDATE";
    return isWrite && isResource(attributes, "", "services");
  },

  validate(attributes) {
    const ipsOf = (service: DeepReadonly<Service> | undefined) => service?.spec?.externalIPs ?? [];
    const old = ipsOf(attributes.oldObject as DeepReadonly<Service> | undefined);
    const isOld = (ip: string) => old.includes(ip);
    if (ipsOf(attributes.object as DeepReadonly<Service>).every(isOld)) return;
    throw deny(attributes, "Use of external IPs is denied by admission control");
  },
};
