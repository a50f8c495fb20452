/** Upstream: pkg/apis/autoscaling/v2/defaults.go. */
import type { HorizontalPodAutoscaler, HPAScalingRules } from "./types.ts";

type Autoscaler = Pick<HorizontalPodAutoscaler, "spec">;

/** One replica at least, CPU at 80 % unless other metrics are named, and how to move. */
export function setHorizontalPodAutoscalerDefaults(object: Autoscaler): void {
  object.spec ??= {};
  const { spec } = object;
  spec.minReplicas ??= 1;
  if ((spec.metrics ?? []).length === 0) {
    const target = { type: "Utilization", averageUtilization: 80 };
    spec.metrics = [{ type: "Resource", resource: { name: "cpu", target } }];
  }
  setBehaviorDefaults(object);
}

/** The rules of each direction, only when a behavior is given. */
export function setBehaviorDefaults({ spec }: Autoscaler): void {
  const behavior = spec?.behavior;
  if (behavior === undefined) return;
  behavior.scaleUp = withDefaults(behavior.scaleUp, {
    stabilizationWindowSeconds: 0,
    selectPolicy: "Max",
    policies: [
      { type: "Pods", value: 4, periodSeconds: 15 },
      { type: "Percent", value: 100, periodSeconds: 15 },
    ],
  });
  behavior.scaleDown = withDefaults(behavior.scaleDown, {
    selectPolicy: "Max",
    policies: [{ type: "Percent", value: 100, periodSeconds: 15 }],
  });
}

/** What is given wins; an empty list of policies is a choice, an absent one is not. */
function withDefaults(
  given: HPAScalingRules | undefined,
  defaults: HPAScalingRules,
): HPAScalingRules {
  const rules = { ...defaults };
  if (given === undefined) return rules;
  if (given.selectPolicy !== undefined) rules.selectPolicy = given.selectPolicy;
  if (given.stabilizationWindowSeconds !== undefined) {
    rules.stabilizationWindowSeconds = given.stabilizationWindowSeconds;
  }
  if (given.policies !== undefined) rules.policies = given.policies;
  if (given.tolerance !== undefined) rules.tolerance = given.tolerance;
  return rules;
}
