/**
 * Objects as metav1.Table, for `kubectl get`. The cells come from the kind's printer.
 * Upstream: handlers/response.go asTable and printers/storage.TableConvertor.
 */
import * as api from "../apimachinery/api/errors.ts";
import type { KubeObject } from "../apimachinery/meta/types.ts";
import { quote } from "../apimachinery/validation/field.ts";
import type { PrinterColumn } from "../apis/resources.ts";
import type { ServedResource } from "../registry/generic/served-resource.ts";
import { printerFor } from "../registry/printers/printers.ts";
import type { ReceivedRequest } from "../request/request.ts";
import { type PartialSource, partialMetadata } from "./partial-metadata.ts";

export interface TableMeta {
  readonly resourceVersion?: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}
export interface TableRow {
  readonly cells: readonly unknown[];
  readonly conditions?: readonly unknown[];
  readonly object?: unknown;
}
export interface Table {
  readonly kind: "Table";
  readonly apiVersion: string;
  readonly metadata: TableMeta;
  readonly columnDefinitions: readonly PrinterColumn[] | null;
  readonly rows: readonly TableRow[] | null;
}

type IncludeObject = "None" | "Metadata" | "Object";

/** A Table's JSON up to `"rows":[`. */
export function tableHead(resource: ServedResource, version: string, metadata: TableMeta): string {
  const head = {
    kind: "Table",
    apiVersion: `meta.k8s.io/${version}`,
    metadata: orderedMeta(metadata),
    columnDefinitions: printerFor(resource).columns,
  };
  return `${JSON.stringify(head).slice(0, -1)},"rows":[`;
}

/** The rows of `objects` (request version), in order. Throws 400 for a bad includeObject. */
export function tableOfObjects(
  request: ReceivedRequest,
  resource: ServedResource,
  objects: readonly KubeObject[],
  metadata: TableMeta,
): Table {
  const include = includeObjectOf(request);
  const version = /as=Table;[^,]*v=v1beta1/.test(request.headers.get("accept") ?? "")
    ? "v1beta1"
    : "v1";
  const printer = printerFor(resource);
  const now = new Date();
  const rows = printer.order(objects).map((object) => {
    const { cells, conditions } = printer.row(object, now);
    const included = includedObject(resource, object, include, version);
    return {
      cells,
      ...(conditions === undefined ? {} : { conditions }),
      ...(included === undefined ? {} : { object: included }),
    };
  });
  return {
    kind: "Table",
    apiVersion: `meta.k8s.io/${version}`,
    metadata: orderedMeta(metadata),
    columnDefinitions: printer.columns,
    rows: rows.length === 0 && printer.isGeneric ? null : rows,
  };
}

function orderedMeta(meta: TableMeta): TableMeta {
  return {
    ...(meta.resourceVersion ? { resourceVersion: meta.resourceVersion } : {}),
    ...(meta.continue ? { continue: meta.continue } : {}),
    ...(meta.remainingItemCount ? { remainingItemCount: meta.remainingItemCount } : {}),
  };
}

/** What the rows' `object` is to be. Throws 400. */
export function includeObjectOf(request: ReceivedRequest): IncludeObject {
  const asked = request.query.get("includeObject") ?? "";
  if (asked === "") return "Metadata";
  if (asked === "None" || asked === "Metadata" || asked === "Object") return asked;
  const what = `includeObject: Invalid value: ${quote(asked)}`;
  throw api.badRequest(
    `Unable to convert to Table as requested: ${what}: must be 'Metadata', 'Object', 'None', or empty`,
  );
}

/** A row's `object`: null, the object's metadata, or all of it. */
export function includedObject(
  resource: PartialSource,
  object: KubeObject,
  include: IncludeObject,
  version: string,
): unknown {
  if (include === "None") return null;
  return include === "Object" ? object : partialMetadata(resource, object, version);
}
