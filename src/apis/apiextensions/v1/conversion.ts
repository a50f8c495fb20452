/**
 * apiextensions.k8s.io/v1 to v1beta1, which etcd holds, and back. What all versions have in common
 * stands once, at the top; paths of validation errors follow from that.
 * Upstream: apiextensions-apiserver/pkg/apis/apiextensions/v1/conversion.go.
 */
import type { KubeObject } from "../../../apimachinery/meta/types.ts";
import { semanticDeepEqual } from "../../../apimachinery/validation/equality.ts";
import type * as v1beta1 from "../v1beta1/types.ts";
import type * as v1 from "./types.ts";

type Of<T> = Omit<T, "metadata"> & KubeObject;

/** v1 to v1beta1. */
export function toV1beta1(object: KubeObject): KubeObject {
  const { spec, ...rest } = object as Of<v1.CustomResourceDefinition>;
  const out: Of<v1beta1.CustomResourceDefinition> = {
    ...rest,
    apiVersion: "apiextensions.k8s.io/v1beta1",
    spec: specToV1beta1(spec ?? {}),
  };
  return out;
}

function specToV1beta1(
  spec: v1.CustomResourceDefinitionSpec,
): v1beta1.CustomResourceDefinitionSpec {
  const { versions = [], conversion, preserveUnknownFields = false, ...same } = spec;
  const out: v1beta1.CustomResourceDefinitionSpec = { ...same, preserveUnknownFields };
  if (conversion !== undefined) out.conversion = conversionToV1beta1(conversion);
  const [first] = versions;
  if (first === undefined) return out;
  out.version = first.name ?? "";
  const all = (name: keyof v1.CustomResourceDefinitionVersion) =>
    versions.every((version) => semanticDeepEqual(version[name], first[name]));
  const hoisted = {
    schema: all("schema"),
    subresources: all("subresources"),
    columns: all("additionalPrinterColumns"),
    fields: all("selectableFields"),
  };
  if (hoisted.schema && first.schema !== undefined) out.validation = first.schema;
  if (hoisted.subresources && first.subresources !== undefined) {
    out.subresources = first.subresources;
  }
  if (hoisted.columns && first.additionalPrinterColumns !== undefined) {
    out.additionalPrinterColumns = columnsToV1beta1(first.additionalPrinterColumns);
  }
  if (hoisted.fields && first.selectableFields !== undefined) {
    out.selectableFields = first.selectableFields;
  }
  out.versions = versions.map((version) => {
    const { schema, subresources, additionalPrinterColumns, selectableFields, ...kept } = version;
    const one: v1beta1.CustomResourceDefinitionVersion = { ...kept };
    if (!hoisted.schema && schema !== undefined) one.schema = schema;
    if (!hoisted.subresources && subresources !== undefined) one.subresources = subresources;
    if (!hoisted.columns && additionalPrinterColumns !== undefined) {
      one.additionalPrinterColumns = columnsToV1beta1(additionalPrinterColumns);
    }
    if (!hoisted.fields && selectableFields !== undefined) one.selectableFields = selectableFields;
    return one;
  });
  return out;
}

function columnsToV1beta1(
  columns: readonly v1.CustomResourceColumnDefinition[],
): v1beta1.CustomResourceColumnDefinition[] {
  return columns.map(({ jsonPath, ...same }) => ({
    ...same,
    ...(jsonPath === undefined ? {} : { JSONPath: jsonPath }),
  }));
}

function conversionToV1beta1({
  strategy,
  webhook,
}: v1.CustomResourceConversion): v1beta1.CustomResourceConversion {
  const out: v1beta1.CustomResourceConversion = { strategy };
  if (webhook?.clientConfig !== undefined) out.webhookClientConfig = webhook.clientConfig;
  if (webhook?.conversionReviewVersions !== undefined) {
    out.conversionReviewVersions = webhook.conversionReviewVersions;
  }
  return out;
}

/** v1beta1 to v1: what stands at the top goes into every version. */
export function fromV1beta1(object: KubeObject): KubeObject {
  const { spec, ...rest } = object as Of<v1beta1.CustomResourceDefinition>;
  const out: Of<v1.CustomResourceDefinition> = {
    ...rest,
    apiVersion: "apiextensions.k8s.io/v1",
    spec: specToV1(spec ?? {}),
  };
  return out;
}

function specToV1(spec: v1beta1.CustomResourceDefinitionSpec): v1.CustomResourceDefinitionSpec {
  const { version: name, versions = [], conversion, preserveUnknownFields, ...top } = spec;
  const { validation, subresources, additionalPrinterColumns, selectableFields, ...same } = top;
  const out: v1.CustomResourceDefinitionSpec = { ...same };
  if (preserveUnknownFields) out.preserveUnknownFields = true;
  if (conversion !== undefined) out.conversion = conversionToV1(conversion);
  const named = versions.length > 0 || !name ? versions : [{ name, served: true, storage: true }];
  out.versions = named.map((version: v1beta1.CustomResourceDefinitionVersion) => {
    const { additionalPrinterColumns: ownColumns, ...kept } = version;
    const one: v1.CustomResourceDefinitionVersion = { ...kept };
    const columns = additionalPrinterColumns ?? ownColumns;
    if (columns !== undefined) one.additionalPrinterColumns = columnsToV1(columns);
    if (subresources !== undefined) one.subresources = subresources;
    if (validation !== undefined) one.schema = validation;
    if (selectableFields !== undefined) one.selectableFields = selectableFields;
    return one;
  });
  return out;
}

function columnsToV1(
  columns: readonly v1beta1.CustomResourceColumnDefinition[],
): v1.CustomResourceColumnDefinition[] {
  return columns.map(({ JSONPath: jsonPath, ...same }) => ({
    ...same,
    ...(jsonPath === undefined ? {} : { jsonPath }),
  }));
}

function conversionToV1({
  strategy,
  webhookClientConfig,
  conversionReviewVersions,
}: v1beta1.CustomResourceConversion): v1.CustomResourceConversion {
  const out: v1.CustomResourceConversion = { strategy };
  if (webhookClientConfig === undefined && conversionReviewVersions === undefined) return out;
  out.webhook = {};
  if (webhookClientConfig !== undefined) out.webhook.clientConfig = webhookClientConfig;
  if (conversionReviewVersions !== undefined) {
    out.webhook.conversionReviewVersions = conversionReviewVersions;
  }
  return out;
}
