/** Upstream: pkg/registry/apps/deployment/strategy.go. */
import { metadataOf } from "../../../apimachinery/meta/types.ts";
import { semanticDeepEqual } from "../../../apimachinery/validation/equality.ts";
import { Path } from "../../../apimachinery/validation/field.ts";
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import { setDefaultsDeployment } from "../../../apis/apps/v1/defaults.ts";
import type { Deployment } from "../../../apis/apps/v1/types.ts";
import {
  validateDeployment,
  validateDeploymentStatus,
} from "../../../apis/apps/v1/validation/deployment.ts";
import { podValidationOptions } from "../../../apis/core/v1/validation/options.ts";
import { validateImmutableSelector } from "../../../apis/validation/common.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import { type Kube, keepFields } from "../../strategy-parts.ts";
import {
  changeWarnings,
  newWarnings,
  prepareChanged,
  prepareNew,
  templateOptions,
} from "../../workload-parts.ts";

const SPEC = "k8s.io/api/apps/v1.DeploymentSpec";
const SELECTOR = Path.root("spec", "selector");

export const registration: ResourceRegistration<Kube<Deployment>> = {
  group: "apps",
  resource: "deployments",
  strategy: {
    validateName: nameIsDNSSubdomain,
    tracksGeneration: true,
    resetFields: ["status"],
    prepareForCreate: prepareNew,
    validate: (context, object) => validateDeployment(object, podValidationOptions(context)),
    warningsOnCreate: (_context, object) => newWarnings(object, true),
    prepareForUpdate(context, object, old) {
      prepareChanged(context, object, old, SPEC);
      // The controller copies annotations to replica sets: they count as part of the spec.
      if (semanticDeepEqual(object.metadata?.annotations, old.metadata?.annotations)) return;
      metadataOf(object).generation = Number(old.metadata?.generation ?? 0) + 1;
    },
    validateUpdate: (context, object, old) => [
      ...validateDeployment(object, templateOptions(context, old.spec?.template)),
      ...validateImmutableSelector(object.spec?.selector, old.spec?.selector, SELECTOR),
    ],
    warningsOnUpdate: (_context, object, old) => changeWarnings(object, old),
    subresources: {
      status: {
        prepareForUpdate(_context, object, old) {
          keepFields(object, old, "spec");
          keepFields(metadataOf(object), old.metadata ?? {}, "labels");
        },
        validateUpdate: (_context, object, old) => validateDeploymentStatus(object, old),
        resetFields: ["spec", "metadata.labels"],
      },
    },
  },
  defaults: { v1: setDefaultsDeployment },
};
