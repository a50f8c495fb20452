/** Upstream: pkg/registry/apps/statefulset/strategy.go. */
import { Path } from "../../../apimachinery/validation/field.ts";
import { nameIsDNSLabel } from "../../../apimachinery/validation/object-meta.ts";
import { completeClaims, setDefaultsStatefulSet } from "../../../apis/apps/v1/defaults.ts";
import type { StatefulSet } from "../../../apis/apps/v1/types.ts";
import {
  validateStatefulSet,
  validateStatefulSetStatus,
  validateStatefulSetUpdate,
} from "../../../apis/apps/v1/validation/statefulset.ts";
import { podValidationOptions } from "../../../apis/core/v1/validation/options.ts";
import { warningsForPersistentVolumeClaimSpec } from "../../../apis/core/v1/validation/persistentvolumeclaim.ts";
import type { ResourceRegistration, StrategyContext } from "../../rest/strategy.ts";
import { type Kube, statusStrategy } from "../../strategy-parts.ts";
import {
  changeWarnings,
  newWarnings,
  prepareChanged,
  prepareNew,
  templateOptions,
} from "../../workload-parts.ts";

const SPEC = "k8s.io/api/apps/v1.StatefulSetSpec";
const AT = Path.root("spec");

type StatefulSetObject = Kube<StatefulSet>;

export const registration: ResourceRegistration<StatefulSetObject> = {
  group: "apps",
  resource: "statefulsets",
  strategy: {
    validateName: nameIsDNSLabel,
    tracksGeneration: true,
    resetFields: ["status"],
    prepareForCreate(context, object) {
      prepareNew(context, object);
      dropDisabledFields(context, object, undefined);
    },
    validate: (context, object) => validateStatefulSet(object, podValidationOptions(context)),
    warningsOnCreate: (_context, object) => [
      ...newWarnings(object, false),
      ...claimWarnings(object),
      ...revisionWarnings(object),
    ],
    prepareForUpdate(context, object, old) {
      dropDisabledFields(context, object, old);
      prepareChanged(context, object, old, SPEC);
    },
    validateUpdate: (context, object, old) =>
      validateStatefulSetUpdate(object, old, templateOptions(context, old.spec?.template)),
    warningsOnUpdate(_context, object, old) {
      const changed = object.metadata?.generation !== old.metadata?.generation;
      return [
        ...changeWarnings(object, old),
        ...(changed ? claimWarnings(object) : []),
        ...revisionWarnings(object),
      ];
    },
    subresources: { status: statusStrategy(validateStatefulSetStatus) },
  },
  defaults: { v1: setDefaultsStatefulSet },
  hooks: () => ({ decorate: completeClaims }),
};

function dropDisabledFields(
  { gate }: StrategyContext,
  object: StatefulSetObject,
  old: StatefulSetObject | undefined,
): void {
  if (gate("MaxUnavailableStatefulSet")) return;
  if (old?.spec?.updateStrategy?.rollingUpdate?.maxUnavailable !== undefined) return;
  delete object.spec?.updateStrategy?.rollingUpdate?.maxUnavailable;
}

function claimWarnings({ spec }: StatefulSetObject): string[] {
  const at = AT.child("volumeClaimTemplates");
  return (spec?.volumeClaimTemplates ?? []).flatMap((claim, i) =>
    // As upstream, without `spec` in the path.
    warningsForPersistentVolumeClaimSpec(claim.spec ?? {}, at.index(i)),
  );
}

function revisionWarnings({ spec }: StatefulSetObject): string[] {
  if ((spec?.revisionHistoryLimit ?? 0) >= 0) return [];
  const detail = "a negative value retains all historical revisions; a value >= 0 is recommended";
  return [`${AT.child("revisionHistoryLimit")}: ${detail}`];
}
