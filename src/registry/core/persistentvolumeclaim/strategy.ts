import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import { setPersistentVolumeClaimDefaults } from "../../../apis/core/v1/defaults/persistentvolumeclaim.ts";
import type {
  PersistentVolumeClaim,
  PersistentVolumeClaimSpec,
} from "../../../apis/core/v1/types.ts";
import {
  validatePersistentVolumeClaim,
  validatePersistentVolumeClaimStatusUpdate,
  validatePersistentVolumeClaimUpdate,
  warningsForPersistentVolumeClaim,
} from "../../../apis/core/v1/validation/persistentvolumeclaim.ts";
import type { ResourceRegistration, StrategyContext } from "../../rest/strategy.ts";
import { type Kube, keepFields } from "../../strategy-parts.ts";

type Claim = Kube<PersistentVolumeClaim>;
type Spec = PersistentVolumeClaimSpec;

/** A source in another namespace is behind a gate. */
function dropDisabledFields({ gate }: StrategyContext, spec: Spec, old: Spec | undefined): void {
  if (gate("CrossNamespaceVolumeDataSource") || old?.dataSourceRef !== undefined) return;
  if (spec.dataSourceRef?.namespace) delete spec.dataSourceRef;
}

/** The old field takes claims and snapshots only; anything else in it is dropped, as ever. */
function dropInvalidDataSource(spec: Spec, old: Spec | undefined): void {
  if (old?.dataSource !== undefined || old?.dataSourceRef !== undefined) return;
  if (spec.dataSourceRef !== undefined || spec.dataSource === undefined) return;
  const { kind, apiGroup = "" } = spec.dataSource;
  const isClaim = kind === "PersistentVolumeClaim" && apiGroup === "";
  const isSnapshot = kind === "VolumeSnapshot" && apiGroup === "snapshot.storage.k8s.io";
  if (!isClaim && !isSnapshot) delete spec.dataSource;
}

/** Both fields say the same, whichever the client used. */
function normalizeDataSources(spec: Spec): void {
  const { dataSource, dataSourceRef } = spec;
  if (dataSource !== undefined && dataSourceRef === undefined)
    spec.dataSourceRef = { ...dataSource };
  else if (dataSourceRef !== undefined && dataSource === undefined && !dataSourceRef.namespace) {
    const { namespace: _empty, ...local } = dataSourceRef;
    spec.dataSource = local;
  }
}

export const registration: ResourceRegistration<Claim> = {
  group: "",
  resource: "persistentvolumeclaims",
  strategy: {
    validateName: nameIsDNSSubdomain,
    returnsDeletedObject: true,
    resetFields: ["status"],
    prepareForCreate(context, object) {
      object.status = { phase: "Pending" };
      object.spec ??= {};
      dropDisabledFields(context, object.spec, undefined);
      dropInvalidDataSource(object.spec, undefined);
      normalizeDataSources(object.spec);
    },
    validate: (_context, object) => validatePersistentVolumeClaim(object),
    warningsOnCreate: (_context, object) => warningsForPersistentVolumeClaim(object),
    prepareForUpdate(context, object, old) {
      keepFields(object, old, "status");
      object.spec ??= {};
      dropDisabledFields(context, object.spec, old.spec);
      dropInvalidDataSource(object.spec, old.spec);
      // A client that knows only the old field leaves the new one as it was.
      if (object.spec.dataSource !== undefined && object.spec.dataSourceRef === undefined) {
        normalizeDataSources(object.spec);
      }
    },
    updateMetadataRules: ["update", "create"],
    validateUpdate: (_context, object, old) => validatePersistentVolumeClaimUpdate(object, old),
    warningsOnUpdate: (_context, object) => warningsForPersistentVolumeClaim(object),
    subresources: {
      status: {
        prepareForUpdate: (_context, object, old) => keepFields(object, old, "spec"),
        validateUpdate: (_context, object) => validatePersistentVolumeClaimStatusUpdate(object),
        resetFields: ["spec"],
      },
    },
  },
  defaults: { v1: setPersistentVolumeClaimDefaults },
};
