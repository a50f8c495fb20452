/** Upstream: pkg/registry/storage/csidriver/strategy.go. */
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import { setCSIDriverDefaults } from "../../../apis/storage/v1/defaults.ts";
import type { CSIDriver } from "../../../apis/storage/v1/types.ts";
import {
  validateCSIDriver,
  validateCSIDriverUpdate,
} from "../../../apis/storage/v1/validation-csi.ts";
import type { ResourceRegistration, StrategyContext } from "../../rest/strategy.ts";
import { bumpGeneration, type Kube } from "../../strategy-parts.ts";

export const registration: ResourceRegistration<Kube<CSIDriver>> = {
  group: "storage.k8s.io",
  resource: "csidrivers",
  strategy: {
    validateName: nameIsDNSSubdomain,
    tracksGeneration: true,
    prepareForCreate: (context, object) => dropDisabledFields(context, object),
    validate: (_context, object) => validateCSIDriver(object),
    prepareForUpdate(context, object, old) {
      dropDisabledFields(context, object, old);
      bumpGeneration(object, old, "spec");
    },
    validateUpdate: (_context, object, old) => validateCSIDriverUpdate(object, old),
    allowUnconditionalUpdate: false,
  },
  defaults: { v1: setCSIDriverDefaults },
};

function dropDisabledFields(
  { gate }: StrategyContext,
  { spec }: Kube<CSIDriver>,
  old?: Kube<CSIDriver>,
): void {
  if (spec === undefined || gate("VolumeLimitScaling")) return;
  if (old?.spec?.preventPodSchedulingIfMissing !== undefined) return;
  delete spec.preventPodSchedulingIfMissing;
}
