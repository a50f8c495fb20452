/** Upstream: pkg/apis/flowcontrol/v1/defaults.go. */
import type { FlowSchema, PriorityLevelConfiguration, QueuingConfiguration } from "./types.ts";

/** Upstream: SetDefaults_FlowSchemaSpec. */
export function setFlowSchemaDefaults(schema: Pick<FlowSchema, "spec">): void {
  schema.spec ??= {};
  if (!schema.spec.matchingPrecedence) schema.spec.matchingPrecedence = 1000;
}

/** Shares of 0 are a choice; only absent ones get the default. */
export function setPriorityLevelConfigurationDefaults(
  level: Pick<PriorityLevelConfiguration, "spec">,
): void {
  level.spec ??= {};
  const { spec } = level;
  if (spec.type === "Exempt") spec.exempt ??= {};
  if (spec.exempt !== undefined) {
    spec.exempt.nominalConcurrencyShares ??= 0;
    spec.exempt.lendablePercent ??= 0;
  }
  if (spec.limited === undefined) return;
  spec.limited.nominalConcurrencyShares ??= 30;
  spec.limited.lendablePercent ??= 0;
  if (spec.limited.limitResponse?.queuing) setQueuingDefaults(spec.limited.limitResponse.queuing);
}

function setQueuingDefaults(queuing: QueuingConfiguration): void {
  if (!queuing.queues) queuing.queues = 64;
  if (!queuing.handSize) queuing.handSize = 8;
  if (!queuing.queueLengthLimit) queuing.queueLengthLimit = 50;
}
