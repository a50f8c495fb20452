/** Upstream: pkg/registry/core/replicationcontroller/strategy.go. */
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import { setDefaultsReplicationController } from "../../../apis/core/v1/defaults/replicationcontroller.ts";
import type { ReplicationController } from "../../../apis/core/v1/types.ts";
import { podValidationOptions } from "../../../apis/core/v1/validation/options.ts";
import {
  validateReplicationController,
  validateReplicationControllerStatus,
} from "../../../apis/core/v1/validation/replicationcontroller.ts";
import type { NameRule, ResourceRegistration } from "../../rest/strategy.ts";
import { type Kube, statusStrategy } from "../../strategy-parts.ts";
import {
  changeWarnings,
  newWarnings,
  prepareChanged,
  prepareNew,
  templateOptions,
} from "../../workload-parts.ts";

const SPEC = "k8s.io/api/core/v1.ReplicationControllerSpec";

/** The one rule that upstream generates for this kind words the limit another way. */
const validateName: NameRule = (name, prefix) =>
  nameIsDNSSubdomain(name, prefix).map((text) =>
    text.replace(/^(must be no more than \d+) characters$/, "$1 bytes"),
  );

export const registration: ResourceRegistration<Kube<ReplicationController>> = {
  group: "",
  resource: "replicationcontrollers",
  strategy: {
    validateName,
    tracksGeneration: true,
    defaultGarbageCollection: "Orphan",
    resetFields: ["status"],
    prepareForCreate: prepareNew,
    validate: (context, object) =>
      validateReplicationController(object, podValidationOptions(context)),
    warningsOnCreate: (_context, object) => newWarnings(object, true),
    prepareForUpdate: (context, object, old) => prepareChanged(context, object, old, SPEC),
    validateUpdate(context, object, old) {
      const options = templateOptions(context, old.spec?.template);
      return validateReplicationController(object, options);
    },
    warningsOnUpdate: (_context, object, old) => changeWarnings(object, old),
    subresources: {
      status: statusStrategy((object) => validateReplicationControllerStatus(object)),
    },
  },
  defaults: { v1: setDefaultsReplicationController },
};
