/** Upstream: pkg/apis/resource/v1beta1/defaults.go. */
import {
  setDeviceRequestDefaults,
  setTaintDefaults,
  setTolerationDefaults,
} from "../v1/defaults.ts";
import type { ResourceClaimSpec, ResourceSlice } from "./types.ts";

/** A request without a class has alternatives, and no mode of its own. */
export function setClaimSpecDefaults(spec: ResourceClaimSpec | undefined): void {
  for (const request of spec?.devices?.requests ?? []) {
    if (request.deviceClassName) setDeviceRequestDefaults(request);
    setTolerationDefaults(request.tolerations);
    for (const one of request.firstAvailable ?? []) setDeviceRequestDefaults(one);
  }
}

/** Upstream: SetDefaults_DeviceTaint. */
export function setResourceSliceDefaults(slice: Pick<ResourceSlice, "spec">): void {
  for (const { basic } of slice.spec?.devices ?? []) {
    for (const mapping of Object.values(basic?.nodeAllocatableResourceMappings ?? {})) {
      mapping.allocationMultiplier ??= "1";
    }
    for (const taint of basic?.taints ?? []) setTaintDefaults(taint);
  }
}
