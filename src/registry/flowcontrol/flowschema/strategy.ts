/** Upstream: pkg/registry/flowcontrol/flowschema/strategy.go. */
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import { setFlowSchemaDefaults } from "../../../apis/flowcontrol/v1/defaults.ts";
import type { FlowSchema } from "../../../apis/flowcontrol/v1/types.ts";
import {
  validateConditionTypes,
  validateFlowSchema,
} from "../../../apis/flowcontrol/v1/validation.ts";
import { goStruct } from "../../../apis/validation/common.ts";
import type { ResourceRegistration, StrategyContext } from "../../rest/strategy.ts";
import {
  bumpGeneration,
  type Kube,
  keepFields,
  startGeneration,
  statusStrategy,
} from "../../strategy-parts.ts";

export const registration: ResourceRegistration<Kube<FlowSchema>> = {
  group: "flowcontrol.apiserver.k8s.io",
  resource: "flowschemas",
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
      status: statusStrategy<Kube<FlowSchema>>(
        (object) => validateConditionTypes(object.status ?? {}),
        { keepsMetadata: true },
      ),
    },
  },
  defaults: { v1: setFlowSchemaDefaults },
};

function validate(_context: StrategyContext, object: Kube<FlowSchema>) {
  return validateFlowSchema(object, (spec) =>
    goStruct(spec, "k8s.io/api/flowcontrol/v1.FlowSchemaSpec"),
  );
}
