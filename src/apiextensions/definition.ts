/**
 * What the server needs to know of a CustomResourceDefinition to serve it.
 * Upstream: apiextensions-apiserver/pkg/apihelpers/helpers.go.
 */
import { createHash } from "node:crypto";
import type { KubeObject } from "../apimachinery/meta/types.ts";
import { fromV1beta1 } from "../apis/apiextensions/v1/conversion.ts";
import type * as v1 from "../apis/apiextensions/v1/types.ts";

export type Definition = Omit<v1.CustomResourceDefinition, "metadata"> & KubeObject;
export type DefinitionVersion = v1.CustomResourceDefinitionVersion;

/** From a stored object, which is a v1beta1 one. */
export function definitionOf(stored: KubeObject): Definition {
  return fromV1beta1(stored) as Definition;
}

export function isTrue({ status }: Definition, type: string): boolean {
  return (status?.conditions ?? []).some((one) => one.type === type && one.status === "True");
}

/** Whether requests for its objects are answered. */
export function isServing(definition: Definition): boolean {
  return isTrue(definition, "Established") || isTrue(definition, "NamesAccepted");
}

/** Without the versions' schemas, which are the largest part. */
export function bare(definition: Definition): Definition {
  const { spec } = definition;
  const versions = (spec?.versions ?? []).map(({ schema: _schema, ...rest }) => rest);
  return { ...definition, spec: { ...spec, versions } };
}

/** A digest of what the resources made of a definition depend on. */
export function fingerprint(definition: Definition): string {
  const { spec, status, metadata } = definition;
  const flags = ["Established", "NamesAccepted", "Terminating"].map((type) =>
    isTrue(definition, type),
  );
  const parts = [metadata?.uid, spec, status?.acceptedNames, flags];
  return createHash("sha256").update(JSON.stringify(parts)).digest("base64");
}
