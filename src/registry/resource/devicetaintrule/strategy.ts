/** Upstream: pkg/registry/resource/devicetaintrule/strategy.go. */
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import { setTaintDefaults } from "../../../apis/resource/v1/defaults.ts";
import type { DeviceTaintRule } from "../../../apis/resource/v1alpha3/types.ts";
import {
  validateDeviceTaintRule,
  validateDeviceTaintRuleStatus,
} from "../../../apis/resource/v1alpha3/validation.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import {
  bumpGeneration,
  type Kube,
  keepFields,
  startGeneration,
  statusStrategy,
} from "../../strategy-parts.ts";

type Rule = Kube<DeviceTaintRule>;

function setDefaults(rule: Rule): void {
  if (rule.spec?.taint !== undefined) setTaintDefaults(rule.spec.taint);
}

export const registration: ResourceRegistration<Rule> = {
  group: "resource.k8s.io",
  resource: "devicetaintrules",
  strategy: {
    validateName: nameIsDNSSubdomain,
    returnsDeletedObject: true,
    tracksGeneration: true,
    prepareForCreate(_context, object) {
      delete object.status;
      startGeneration(object);
    },
    validate: (_context, object) => validateDeviceTaintRule(object),
    prepareForUpdate(_context, object, old) {
      keepFields(object, old, "status");
      bumpGeneration(object, old, "spec");
    },
    validateUpdate: (_context, object, old) => validateDeviceTaintRule(object, old),
    resetFields: ["status"],
    subresources: {
      status: statusStrategy<Rule>(validateDeviceTaintRuleStatus, { keepsMetadata: true }),
    },
  },
  defaults: { v1alpha3: setDefaults, v1beta2: setDefaults },
};
