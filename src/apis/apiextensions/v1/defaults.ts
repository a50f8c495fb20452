/** Upstream: apiextensions-apiserver/pkg/apis/apiextensions/v1/defaults.go. */
import type { CustomResourceDefinition } from "./types.ts";

/** Names that follow from the kind, and how versions are converted. */
export function setCustomResourceDefinitionDefaults(
  crd: Pick<CustomResourceDefinition, "spec" | "status">,
): void {
  crd.spec ??= {};
  const { spec } = crd;
  spec.names ??= {};
  const { names } = spec;
  if (!names.singular) names.singular = (names.kind ?? "").toLowerCase();
  if (!names.listKind && names.kind) names.listKind = `${names.kind}List`;
  spec.conversion ??= { strategy: "None" };
  const service = spec.conversion.webhook?.clientConfig?.service;
  if (service !== undefined) service.port ??= 443;
  if ((crd.status?.storedVersions ?? []).length > 0) return;
  const storage = (spec.versions ?? []).find((version) => version.storage);
  if (storage !== undefined) {
    crd.status = { ...crd.status, storedVersions: [storage.name ?? ""] };
  }
}
