/** Upstream: pkg/registry/apps/replicaset/strategy.go. */
import { Path } from "../../../apimachinery/validation/field.ts";
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import { setDefaultsReplicaSet } from "../../../apis/apps/v1/defaults.ts";
import type { ReplicaSet } from "../../../apis/apps/v1/types.ts";
import {
  validateReplicaSetSpec,
  validateReplicaSetStatus,
} from "../../../apis/apps/v1/validation/deployment.ts";
import { podValidationOptions } from "../../../apis/core/v1/validation/options.ts";
import { validateImmutableSelector } from "../../../apis/validation/common.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import { type Kube, statusStrategy } from "../../strategy-parts.ts";
import {
  changeWarnings,
  newWarnings,
  prepareChanged,
  prepareNew,
  templateOptions,
} from "../../workload-parts.ts";

const SPEC = "k8s.io/api/apps/v1.ReplicaSetSpec";
const SELECTOR = Path.root("spec", "selector");

export const registration: ResourceRegistration<Kube<ReplicaSet>> = {
  group: "apps",
  resource: "replicasets",
  strategy: {
    validateName: nameIsDNSSubdomain,
    tracksGeneration: true,
    resetFields: ["status"],
    prepareForCreate: prepareNew,
    validate: (context, object) =>
      validateReplicaSetSpec(object.spec ?? {}, podValidationOptions(context)),
    warningsOnCreate: (_context, object) => newWarnings(object, true),
    prepareForUpdate: (context, object, old) => prepareChanged(context, object, old, SPEC),
    validateUpdate(context, object, old) {
      const options = templateOptions(context, old.spec?.template);
      return [
        ...validateReplicaSetSpec(object.spec ?? {}, options),
        ...validateImmutableSelector(object.spec?.selector, old.spec?.selector, SELECTOR),
      ];
    },
    warningsOnUpdate: (_context, object, old) => changeWarnings(object, old),
    subresources: { status: statusStrategy((object) => validateReplicaSetStatus(object)) },
  },
  defaults: { v1: setDefaultsReplicaSet },
};
