/** Upstream: pkg/apis/resource/v1/defaults.go. */
import type {
  DeviceSubRequest,
  DeviceToleration,
  ResourceClaim,
  ResourceClaimSpec,
  ResourceSlice,
} from "./types.ts";

/** Tolerations compare values unless they say otherwise. */
export function setTolerationDefaults(
  tolerations: readonly Pick<DeviceToleration, "operator">[] | undefined,
): void {
  for (const toleration of tolerations ?? []) toleration.operator ||= "Equal";
}

/** One device, unless all are wanted. */
export function setDeviceRequestDefaults(
  request: Pick<DeviceSubRequest, "allocationMode" | "count" | "tolerations">,
): void {
  setTolerationDefaults(request.tolerations);
  if (!request.allocationMode) request.allocationMode = "ExactCount";
  if (request.allocationMode === "ExactCount" && !request.count) request.count = 1;
}

function setSpecDefaults(spec: ResourceClaimSpec | undefined): void {
  for (const request of spec?.devices?.requests ?? []) {
    if (request.exactly !== undefined) setDeviceRequestDefaults(request.exactly);
    for (const one of request.firstAvailable ?? []) setDeviceRequestDefaults(one);
  }
}

/** Requests of a claim, and what was allocated for them. */
export function setResourceClaimDefaults(claim: Pick<ResourceClaim, "spec" | "status">): void {
  setSpecDefaults(claim.spec);
  for (const result of claim.status?.allocation?.devices?.results ?? []) {
    setTolerationDefaults(result.tolerations);
  }
}

/** Requests of a claim's template. */
export function setResourceClaimTemplateDefaults(template: {
  spec?: { spec?: ResourceClaimSpec | undefined } | undefined;
}): void {
  setSpecDefaults(template.spec?.spec);
}

/** A taint without a time gets the present one, in RFC3339 seconds. */
export function setTaintDefaults(taint: { timeAdded?: string | undefined }): void {
  taint.timeAdded ??= new Date().toISOString().replace(/\.\d+Z$/, "Z");
}

/** Upstream: SetDefaults_Device and SetDefaults_DeviceTaint. */
export function setResourceSliceDefaults(slice: Pick<ResourceSlice, "spec">): void {
  for (const device of slice.spec?.devices ?? []) {
    for (const mapping of Object.values(device.nodeAllocatableResourceMappings ?? {})) {
      mapping.allocationMultiplier ??= "1";
    }
    for (const taint of device.taints ?? []) setTaintDefaults(taint);
  }
}
