/** Upstream: apiextensions-apiserver/pkg/apis/apiextensions/v1beta1/defaults.go. */
import type { CustomResourceDefinition } from "./types.ts";

/** What stored definitions, and ones that admission changed, may lack. */
export function setCustomResourceDefinitionDefaults(
  crd: Pick<CustomResourceDefinition, "spec">,
): void {
  crd.spec ??= {};
  const { spec } = crd;
  if (!spec.scope) spec.scope = "Namespaced";
  spec.names ??= {};
  const { names } = spec;
  if (!names.singular) names.singular = (names.kind ?? "").toLowerCase();
  if (!names.listKind && names.kind) names.listKind = `${names.kind}List`;
  if ((spec.versions ?? []).length === 0 && spec.version) {
    spec.versions = [{ name: spec.version, storage: true, served: true }];
  }
  const first = spec.versions?.[0]?.name;
  if (!spec.version && first) spec.version = first;
  spec.conversion ??= { strategy: "None" };
  const service = spec.conversion.webhookClientConfig?.service;
  if (service !== undefined) service.port ??= 443;
  spec.preserveUnknownFields ??= true;
}
