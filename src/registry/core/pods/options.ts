/** Options of the rules of pods, as their endpoints use them. */
import type { Pod } from "../../../apis/core/v1/types.ts";
import {
  type PodValidationOptions,
  podValidationOptions,
} from "../../../apis/core/v1/validation/options.ts";
import type { StrategyContext } from "../../rest/strategy.ts";
import type { Kube } from "../../strategy-parts.ts";

export function createOptions(context: StrategyContext): PodValidationOptions {
  return { ...podValidationOptions(context), resourceIsPod: true };
}

export function updateOptions(context: StrategyContext, old: Kube<Pod>): PodValidationOptions {
  const options = podValidationOptions(context, old.spec ?? {}, old.metadata ?? {});
  return { ...options, resourceIsPod: true };
}
