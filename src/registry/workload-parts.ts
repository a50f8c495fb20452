/** Steps that the strategies of kinds with a pod template share. */
import { metadataOf } from "../apimachinery/meta/types.ts";
import { semanticDeepEqual } from "../apimachinery/validation/equality.ts";
import { Path } from "../apimachinery/validation/field.ts";
import { dropDisabledPodFields } from "../apis/core/v1/pod-features.ts";
import type { PodTemplateSpec } from "../apis/core/v1/types.ts";
import {
  type PodValidationOptions,
  podValidationOptions,
} from "../apis/core/v1/validation/options.ts";
import { nameWarnings, podTemplateWarnings } from "../apis/core/v1/warnings/pod.ts";
import { structOf } from "../apis/schemas.ts";
import type { StrategyContext } from "./rest/strategy.ts";
import { type Kube, keepFields, startGeneration } from "./strategy-parts.ts";

/** A kind whose spec makes pods. */
export type Workload = Kube<{
  spec?: { template?: PodTemplateSpec | undefined } | undefined;
  status?: object | undefined;
}>;

const TEMPLATE = Path.root("spec", "template");
/** What names of controllers become part of. */
const POD_NAMES = "Pod names and hostnames";

/** Options for an update of a template. */
export function templateOptions(
  context: StrategyContext,
  old: PodTemplateSpec | undefined,
): PodValidationOptions {
  return podValidationOptions(context, old?.spec ?? {}, old?.metadata ?? {});
}

/** A new object: no status, generation 1, no field that is switched off. In place. */
export function prepareNew({ gate }: StrategyContext, object: Workload): void {
  delete object.status;
  startGeneration(object);
  dropDisabledPodFields(gate, object.spec?.template?.spec, undefined);
}

/** An update: the stored status, and a new generation when the spec changes. In place. */
export function prepareChanged(
  { gate }: StrategyContext,
  object: Workload,
  old: Workload,
  goSpec: string,
): void {
  keepFields(object, old, "status");
  dropDisabledPodFields(gate, object.spec?.template?.spec, old.spec?.template?.spec);
  if (semanticDeepEqual(object.spec, old.spec, structOf(goSpec))) return;
  metadataOf(object).generation = Number(old.metadata?.generation ?? 0) + 1;
}

/** Warnings about a new object's template, and its name where pods are named after it. */
export function newWarnings(object: Workload, namesPods: boolean): string[] {
  const names = namesPods ? nameWarnings(object.metadata?.name, POD_NAMES) : [];
  return [...names, ...podTemplateWarnings(object.spec?.template, TEMPLATE)];
}

/** Warnings about the template when the spec changed. */
export function changeWarnings(object: Workload, old: Workload): string[] {
  if (object.metadata?.generation === old.metadata?.generation) return [];
  return podTemplateWarnings(object.spec?.template, TEMPLATE);
}
