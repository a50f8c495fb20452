/** Upstream: pkg/registry/storage/csidriver/strategy.go. */
import { semanticDeepEqual } from "../../../apimachinery/validation/equality.ts";
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
    returnsDeletedObject: true,
    prepareForCreate: (context, object) => dropDisabledFields(context, object),
    validate: (_context, object) => validateCSIDriver(object),
    warningsOnCreate: (_context, object) => warnings(object),
    prepareForUpdate(context, object, old) {
      dropDisabledFields(context, object, old);
      bumpGeneration(object, old, "spec");
    },
    validateUpdate: (_context, object, old) => validateCSIDriverUpdate(object, old),
    warningsOnUpdate(_context, object, old) {
      const same = semanticDeepEqual(object.spec?.tokenRequests, old.spec?.tokenRequests);
      return same ? [] : warnings(object);
    },
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

function warnings({ spec = {} }: Kube<CSIDriver>): string[] {
  const asksForTokens = (spec.tokenRequests ?? []).length > 0;
  if (!asksForTokens || spec.serviceAccountTokenInSecrets !== undefined) return [];
  return [
    "spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes",
  ];
}
