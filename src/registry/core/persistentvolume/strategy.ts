/** Upstream: pkg/registry/core/persistentvolume/strategy.go. */
import { Path } from "../../../apimachinery/validation/field.ts";
import {
  nameIsDNSSubdomain,
  validateKubeObjectMeta,
} from "../../../apimachinery/validation/object-meta.ts";
import { setPersistentVolumeDefaults } from "../../../apis/core/v1/defaults/persistentvolume.ts";
import type { PersistentVolume } from "../../../apis/core/v1/types.ts";
import {
  validatePersistentVolume,
  validatePersistentVolumeStatusUpdate,
  validatePersistentVolumeUpdate,
  warningsForPersistentVolume,
} from "../../../apis/core/v1/validation/persistentvolume.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import { type Kube, keepFields } from "../../strategy-parts.ts";

type Volume = Kube<PersistentVolume>;
const METADATA = Path.root("metadata");
const secondsOf = (date: Date): string => `${date.toISOString().slice(0, 19)}Z`;

/** A phase that changes takes the time with it, unless the client gives a time of its own. */
function setTransitionTime(object: Volume, old: Volume, now: Date): void {
  object.status ??= {};
  const [status, before] = [object.status, old.status ?? {}];
  const time = status.lastPhaseTransitionTime;
  if (before.phase === status.phase) {
    if (time === undefined) keepFields(status, before, "lastPhaseTransitionTime");
  } else if (time === undefined || time === before.lastPhaseTransitionTime) {
    status.lastPhaseTransitionTime = secondsOf(now);
  }
}

export const registration: ResourceRegistration<Volume> = {
  group: "",
  resource: "persistentvolumes",
  strategy: {
    validateName: nameIsDNSSubdomain,
    returnsDeletedObject: true,
    resetFields: ["status"],
    prepareForCreate({ now }, object) {
      object.status = { phase: "Pending", lastPhaseTransitionTime: secondsOf(now()) };
    },
    validate: (_context, object) => validatePersistentVolume(object),
    warningsOnCreate: (_context, object) => warningsForPersistentVolume(object),
    prepareForUpdate: (_context, object, old) => keepFields(object, old, "status"),
    updateMetadataRules: [],
    validateUpdate: ({ gate }, object, old) => [
      // Upstream's two validators both begin with the rules of creation.
      ...validateKubeObjectMeta(object.metadata ?? {}, false, nameIsDNSSubdomain, METADATA),
      ...validatePersistentVolume(object, old),
      ...validateKubeObjectMeta(object.metadata ?? {}, false, nameIsDNSSubdomain, METADATA),
      ...validatePersistentVolumeUpdate(object, old, gate("MutablePVNodeAffinity")),
    ],
    warningsOnUpdate: (_context, object) => warningsForPersistentVolume(object),
    subresources: {
      status: {
        prepareForUpdate({ now }, object, old) {
          keepFields(object, old, "spec");
          setTransitionTime(object, old, now());
        },
        validateUpdate: (_context, object) => validatePersistentVolumeStatusUpdate(object),
        resetFields: ["spec"],
      },
    },
  },
  defaults: { v1: setPersistentVolumeDefaults },
};
