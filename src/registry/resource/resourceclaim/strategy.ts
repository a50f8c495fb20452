/** Upstream: pkg/registry/resource/resourceclaim/strategy.go. */
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import { setResourceClaimDefaults } from "../../../apis/resource/v1/defaults.ts";
import type { AllocatedDeviceStatus, ResourceClaim } from "../../../apis/resource/v1/types.ts";
import {
  validateResourceClaim,
  validateResourceClaimUpdate,
} from "../../../apis/resource/v1/validation.ts";
import { validateResourceClaimStatusUpdate } from "../../../apis/resource/v1/validation-status.ts";
import { claimFromV1, claimToV1 } from "../../../apis/resource/v1beta1/conversion.ts";
import { setClaimSpecDefaults } from "../../../apis/resource/v1beta1/defaults.ts";
import type { ResourceClaimSpec as V1beta1Spec } from "../../../apis/resource/v1beta1/types.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import { type Kube, keepFields, keepMetadata } from "../../strategy-parts.ts";
import { dropDisabledClaimFields } from "../claim-features.ts";

type Claim = Kube<ResourceClaim>;

export const registration: ResourceRegistration<Claim> = {
  group: "resource.k8s.io",
  resource: "resourceclaims",
  strategy: {
    validateName: nameIsDNSSubdomain,
    returnsDeletedObject: true,
    prepareForCreate({ gate }, object) {
      delete object.status;
      dropDisabledClaimFields(gate, object.spec, undefined);
    },
    validate: (_context, object) => validateResourceClaim(object),
    prepareForUpdate({ gate }, object, old) {
      keepFields(object, old, "status");
      dropDisabledClaimFields(gate, object.spec, old.spec);
    },
    updateMetadataRules: ["create", "update"],
    validateUpdate: (_context, object, old) => validateResourceClaimUpdate(object, old),
    resetFields: ["status"],
    subresources: {
      status: {
        prepareForUpdate({ gate }, object, old) {
          keepFields(object, old, "spec");
          keepMetadata(object, old);
          const used = (old.status?.devices ?? []).length > 0;
          if (!gate("DRAResourceClaimDeviceStatus") && !used) delete object.status?.devices;
          dropDeallocatedDevices(object, old);
        },
        validateUpdate: (_context, object, old) => validateResourceClaimStatusUpdate(object, old),
        resetFields: ["spec", "metadata"],
      },
    },
  },
  defaults: {
    v1: setResourceClaimDefaults,
    v1beta2: setResourceClaimDefaults,
    v1beta1: (claim) => setClaimSpecDefaults(claim.spec as V1beta1Spec | undefined),
  },
  converters: { v1beta1: { toStorage: claimToV1, fromStorage: claimFromV1 } },
};

/** The status of a device goes with its allocation. */
function dropDeallocatedDevices({ status }: Claim, old: Claim): void {
  const devices = status?.devices ?? [];
  if (status === undefined || devices.length === 0) return;
  const keyOf = ({ driver, pool, device, shareID }: AllocatedDeviceStatus) =>
    JSON.stringify([driver, pool, device, shareID ?? null]);
  const keys = (claim: Claim["status"]) =>
    new Set((claim?.allocation?.devices?.results ?? []).map(keyOf));
  const now = keys(status);
  const gone = new Set([...keys(old.status)].filter((key) => !now.has(key)));
  const kept = devices.filter((device) => !gone.has(keyOf(device)));
  if (kept.length > 0) status.devices = kept;
  else delete status.devices;
}
