/** Upstream: pkg/registry/autoscaling/horizontalpodautoscaler/strategy.go. */
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import { fromV2, toV2 } from "../../../apis/autoscaling/v1/conversion.ts";
import { setHorizontalPodAutoscalerDefaults as setV1Defaults } from "../../../apis/autoscaling/v1/defaults.ts";
import { setHorizontalPodAutoscalerDefaults } from "../../../apis/autoscaling/v2/defaults.ts";
import type { HorizontalPodAutoscaler } from "../../../apis/autoscaling/v2/types.ts";
import {
  validateHorizontalPodAutoscaler,
  validateHorizontalPodAutoscalerStatus,
} from "../../../apis/autoscaling/v2/validation.ts";
import type { ResourceRegistration, StrategyContext } from "../../rest/strategy.ts";
import { type Kube, keepFields, statusStrategy } from "../../strategy-parts.ts";

type Autoscaler = Kube<HorizontalPodAutoscaler>;

export const registration: ResourceRegistration<Autoscaler> = {
  group: "autoscaling",
  resource: "horizontalpodautoscalers",
  strategy: {
    validateName: nameIsDNSSubdomain,
    prepareForCreate(context, object) {
      delete object.status;
      dropDisabledFields(context, object);
    },
    validate: ({ gate }, object) =>
      validateHorizontalPodAutoscaler(object, {
        minReplicasLowerBound: gate("HPAScaleToZero") ? 0 : 1,
      }),
    prepareForUpdate(context, object, old) {
      keepFields(object, old, "status");
      dropDisabledFields(context, object, old);
    },
    validateUpdate: ({ gate }, object, old) =>
      validateHorizontalPodAutoscaler(object, {
        minReplicasLowerBound: gate("HPAScaleToZero") || old.spec?.minReplicas === 0 ? 0 : 1,
        oldTarget: old.spec?.scaleTargetRef ?? {},
      }),
    resetFields: ["status"],
    subresources: { status: statusStrategy<Autoscaler>(validateHorizontalPodAutoscalerStatus) },
  },
  defaults: { v1: setV1Defaults, v2: setHorizontalPodAutoscalerDefaults },
  converters: { v1: { toStorage: toV2, fromStorage: fromV2 } },
};

function dropDisabledFields({ gate }: StrategyContext, object: Autoscaler, old?: Autoscaler): void {
  if (gate("HPAConfigurableTolerance") || hasTolerance(old)) return;
  delete object.spec?.behavior?.scaleUp?.tolerance;
  delete object.spec?.behavior?.scaleDown?.tolerance;
}

function hasTolerance(object: Autoscaler | undefined): boolean {
  const { scaleUp, scaleDown } = object?.spec?.behavior ?? {};
  return scaleUp?.tolerance !== undefined || scaleDown?.tolerance !== undefined;
}
