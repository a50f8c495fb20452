/** Upstream: SetDefaults_ReplicationController and the generated defaults. */
import type { PodTemplate, ReplicationController } from "../types.ts";
import { setDefaultsPodTemplateSpec } from "./pod-spec.ts";

/** Labels and selector come from the template when they are left out. */
export function setDefaultsReplicationController(controller: ReplicationController): void {
  controller.spec ??= {};
  const { spec } = controller;
  const labels = spec.template?.metadata?.labels;
  if (labels !== undefined) {
    spec.selector = orCopy(spec.selector, labels);
    controller.metadata ??= {};
    controller.metadata.labels = orCopy(controller.metadata.labels, labels);
  }
  spec.replicas ??= 1;
  if (spec.template !== undefined) setDefaultsPodTemplateSpec(spec.template);
}

type Labels = Record<string, string>;

function orCopy(labels: Labels | undefined, others: Labels): Labels {
  return labels === undefined || Object.keys(labels).length === 0 ? { ...others } : labels;
}

/** A PodTemplate has a template and nothing else. */
export function setDefaultsPodTemplate(object: PodTemplate): void {
  object.template ??= {};
  setDefaultsPodTemplateSpec(object.template);
}
