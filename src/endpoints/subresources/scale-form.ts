/** A Scale in the form negotiated. Upstream: printers/internalversion printScale. */
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import { structOf } from "../../apis/schemas.ts";
import type { ServedResource } from "../../registry/generic/served-resource.ts";
import { since } from "../../registry/printers/human.ts";
import { printerFor } from "../../registry/printers/printers.ts";
import type { BytesResponse, ReceivedRequest } from "../../request/request.ts";
import type { Negotiated } from "../negotiation.ts";
import { respondEncoded, respondJsonValue, respondMetadata } from "../respond.ts";
import { includedObject, includeObjectOf, type Table } from "../table.ts";

const KIND = { group: "autoscaling", version: "v1", kind: "Scale" };

export interface Scale extends KubeObject {
  spec?: { replicas?: number | undefined } | undefined;
  status?: { replicas?: number | undefined; selector?: string | undefined } | undefined;
}

/** 200 with the Scale, its metadata, or a Table with one row. */
export function respondScale(
  request: ReceivedRequest,
  resource: ServedResource,
  negotiated: Negotiated,
  scale: Scale,
): BytesResponse {
  const { as, asVersion } = negotiated;
  if (as === "Table") {
    return respondJsonValue(request, negotiated, 200, tableOf(request, resource, scale, asVersion));
  }
  if (as !== undefined) {
    return respondMetadata(request, { hooks: undefined }, negotiated, 200, scale);
  }
  const schema = structOf("k8s.io/api/autoscaling/v1.Scale");
  return respondEncoded(request, negotiated, 200, scale, schema, KIND);
}

function tableOf(
  request: ReceivedRequest,
  resource: ServedResource,
  scale: Scale,
  version: string,
): Table {
  const { metadata, spec, status } = scale;
  const text = (name: string) =>
    printerFor(resource).columns.find((column) => column.name === name)?.description ?? "";
  const column = (name: string, type: string, description = "") => {
    return { name, type, format: "", description, priority: 0 };
  };
  const age = since(metadata?.creationTimestamp, new Date());
  const cells = [metadata?.name ?? "", spec?.replicas ?? 0, status?.replicas ?? 0, age];
  const shown = { ...scale, kind: KIND.kind, apiVersion: `${KIND.group}/${KIND.version}` };
  const object = includedObject({ hooks: undefined }, shown, includeObjectOf(request), version);
  return {
    kind: "Table",
    apiVersion: `meta.k8s.io/${version}`,
    metadata: { resourceVersion: metadata?.resourceVersion ?? "" },
    columnDefinitions: [
      column("Name", "string", text("Name")),
      column("Desired", "integer"),
      column("Available", "integer"),
      column("Age", "string", text("Age")),
    ],
    rows: [{ cells, object }],
  };
}
