/** Upstream: pkg/registry/flowcontrol/prioritylevelconfiguration/strategy.go. */
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import { setPriorityLevelConfigurationDefaults } from "../../../apis/flowcontrol/v1/defaults.ts";
import type { PriorityLevelConfiguration } from "../../../apis/flowcontrol/v1/types.ts";
import { validateConditionTypes } from "../../../apis/flowcontrol/v1/validation.ts";
import { validatePriorityLevelConfiguration } from "../../../apis/flowcontrol/v1/validation-priority-level.ts";
import { goStruct } from "../../../apis/validation/common.ts";
import type { ResourceRegistration, StrategyContext } from "../../rest/strategy.ts";
import {
  bumpGeneration,
  type Kube,
  keepFields,
  startGeneration,
  statusStrategy,
} from "../../strategy-parts.ts";

export const registration: ResourceRegistration<Kube<PriorityLevelConfiguration>> = {
  group: "flowcontrol.apiserver.k8s.io",
  resource: "prioritylevelconfigurations",
  strategy: {
    validateName: nameIsDNSSubdomain,
    tracksGeneration: true,
    prepareForCreate(_context, object) {
      delete object.status;
      startGeneration(object);
    },
    validate,
    prepareForUpdate(_context, object, old) {
      keepFields(object, old, "status");
      bumpGeneration(object, old, "spec");
    },
    updateMetadataRules: ["create"],
    validateUpdate: validate,
    resetFields: ["status"],
    subresources: {
      status: statusStrategy<Kube<PriorityLevelConfiguration>>(
        (object) => validateConditionTypes(object.status ?? {}),
        { keepsMetadata: true },
      ),
    },
  },
  defaults: { v1: setPriorityLevelConfigurationDefaults },
};

function validate(_context: StrategyContext, object: Kube<PriorityLevelConfiguration>) {
  return validatePriorityLevelConfiguration(object, (spec) =>
    goStruct(spec, "k8s.io/api/flowcontrol/v1.PriorityLevelConfigurationSpec"),
  );
}
