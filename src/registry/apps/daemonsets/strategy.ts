/** Upstream: pkg/registry/apps/daemonset/strategy.go. */
import { metadataOf } from "../../../apimachinery/meta/types.ts";
import { semanticDeepEqual } from "../../../apimachinery/validation/equality.ts";
import { Path } from "../../../apimachinery/validation/field.ts";
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import { setDefaultsDaemonSet, TEMPLATE_GENERATION } from "../../../apis/apps/v1/defaults.ts";
import type { DaemonSet } from "../../../apis/apps/v1/types.ts";
import {
  templateGenerationOf,
  validateDaemonSetSpec,
  validateDaemonSetStatus,
  validateTemplateGenerationUpdate,
} from "../../../apis/apps/v1/validation/daemonset.ts";
import { podValidationOptions } from "../../../apis/core/v1/validation/options.ts";
import { structOf } from "../../../apis/schemas.ts";
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

const SPEC = "k8s.io/api/apps/v1.DaemonSetSpec";
const POD_TEMPLATE = "k8s.io/api/core/v1.PodTemplateSpec";
const SELECTOR = Path.root("spec", "selector");

type DaemonSetObject = Kube<DaemonSet>;

const statusEndpoint = statusStrategy<DaemonSetObject>(validateDaemonSetStatus);

export const registration: ResourceRegistration<DaemonSetObject> = {
  group: "apps",
  resource: "daemonsets",
  strategy: {
    validateName: nameIsDNSSubdomain,
    tracksGeneration: true,
    resetFields: ["status"],
    prepareForCreate(context, object) {
      prepareNew(context, object);
      // apps/v1 has no field for it: a client may still set the annotation.
      if (templateGenerationOf(object) < 1) setTemplateGeneration(object, 1);
    },
    validate: (context, object) => validateDaemonSetSpec(object, podValidationOptions(context)),
    warningsOnCreate: (_context, object) => newWarnings(object, false),
    prepareForUpdate(context, object, old) {
      setTemplateGeneration(object, templateGenerationOf(old));
      prepareChanged(context, object, old, SPEC);
      const type = structOf(POD_TEMPLATE);
      if (semanticDeepEqual(object.spec?.template, old.spec?.template, type)) return;
      setTemplateGeneration(object, templateGenerationOf(old) + 1);
      metadataOf(object).generation = Number(old.metadata?.generation ?? 0) + 1;
    },
    validateUpdate(context, object, old) {
      const options = templateOptions(context, old.spec?.template);
      return [
        ...validateTemplateGenerationUpdate(object, old),
        ...validateImmutableSelector(object.spec?.selector, old.spec?.selector, SELECTOR),
        ...validateDaemonSetSpec(object, options),
      ];
    },
    warningsOnUpdate: (_context, object, old) => changeWarnings(object, old),
    subresources: {
      status: {
        ...statusEndpoint,
        prepareForUpdate(context, object, old) {
          statusEndpoint.prepareForUpdate(context, object, old);
          setTemplateGeneration(object, templateGenerationOf(old));
        },
      },
    },
  },
  defaults: { v1: setDefaultsDaemonSet },
  hooks: () => ({ fieldAnnotations: [TEMPLATE_GENERATION] }),
};

function setTemplateGeneration(object: DaemonSetObject, generation: number): void {
  const metadata = metadataOf(object);
  metadata.annotations = {
    ...metadata.annotations,
    [TEMPLATE_GENERATION]: String(generation),
  };
}
