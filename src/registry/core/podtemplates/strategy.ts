/** Upstream: pkg/registry/core/podtemplate/strategy.go. */
import { metadataOf } from "../../../apimachinery/meta/types.ts";
import { semanticDeepEqual } from "../../../apimachinery/validation/equality.ts";
import { Path } from "../../../apimachinery/validation/field.ts";
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import { setDefaultsPodTemplate } from "../../../apis/core/v1/defaults/replicationcontroller.ts";
import { dropDisabledPodFields } from "../../../apis/core/v1/pod-features.ts";
import type { PodTemplate } from "../../../apis/core/v1/types.ts";
import { podValidationOptions } from "../../../apis/core/v1/validation/options.ts";
import { validatePodTemplateSpec } from "../../../apis/core/v1/validation/pod-template.ts";
import { podTemplateWarnings } from "../../../apis/core/v1/warnings/pod.ts";
import { structOf } from "../../../apis/schemas.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import { type Kube, startGeneration } from "../../strategy-parts.ts";
import { templateOptions } from "../../workload-parts.ts";

const TEMPLATE = Path.root("template");
const POD_TEMPLATE_SPEC = "k8s.io/api/core/v1.PodTemplateSpec";

export const registration: ResourceRegistration<Kube<PodTemplate>> = {
  group: "",
  resource: "podtemplates",
  strategy: {
    validateName: nameIsDNSSubdomain,
    allowCreateOnUpdate: true,
    returnsDeletedObject: true,
    prepareForCreate({ gate }, object) {
      startGeneration(object);
      dropDisabledPodFields(gate, object.template?.spec, undefined);
    },
    validate: (context, object) => [
      ...validatePodTemplateSpec(object.template ?? {}, TEMPLATE, podValidationOptions(context)),
    ],
    warningsOnCreate: (_context, object) => podTemplateWarnings(object.template, TEMPLATE),
    prepareForUpdate({ gate }, object, old) {
      dropDisabledPodFields(gate, object.template?.spec, old.template?.spec);
      const type = structOf(POD_TEMPLATE_SPEC);
      if (semanticDeepEqual(object.template, old.template, type)) return;
      metadataOf(object).generation = Number(old.metadata?.generation ?? 0) + 1;
    },
    validateUpdate: (context, object, old) =>
      validatePodTemplateSpec(
        object.template ?? {},
        TEMPLATE,
        templateOptions(context, old.template),
      ),
    warningsOnUpdate: (_context, object, old) =>
      object.metadata?.generation === old.metadata?.generation
        ? []
        : podTemplateWarnings(object.template, TEMPLATE),
  },
  defaults: { v1: setDefaultsPodTemplate },
};
