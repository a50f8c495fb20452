/**
 * Table rows of custom resources: the name, and the columns that the definition asks for.
 * Upstream: apiextensions-apiserver/pkg/registry/customresource/tableconvertor.
 */
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import type { JsonValue } from "../../apimachinery/runtime/json.ts";
import { encodeSortedJson } from "../../apimachinery/runtime/json-encode.ts";
import type { PrinterColumn } from "../../apis/resources.ts";
import { resourceTables } from "../../apis/resources.ts";
import { since } from "./human.ts";
import { type JsonPath, parseJsonPath } from "./json-path.ts";
import type { Printer } from "./printers.ts";

export interface CustomColumn {
  readonly name?: string | undefined;
  readonly type?: string | undefined;
  readonly format?: string | undefined;
  readonly description?: string | undefined;
  readonly priority?: number | undefined;
  readonly jsonPath?: string | undefined;
}

const AGE: CustomColumn = {
  name: "Age",
  type: "date",
  description:
    "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata",
  jsonPath: ".metadata.creationTimestamp",
};

let nameColumn: PrinterColumn | undefined;

/** The first column, whose description every kind shares. */
function nameOf(): PrinterColumn {
  nameColumn ??= resourceTables()
    .resources.find((one) => one.resource === "configmaps")
    ?.columns.find((one) => one.name === "Name");
  return (
    nameColumn ?? { name: "Name", type: "string", format: "name", description: "", priority: 0 }
  );
}

export function customPrinter(columns: readonly CustomColumn[]): Printer {
  const shown = columns.length === 0 ? [AGE] : columns;
  const paths = shown.map(({ jsonPath = "" }) => parseJsonPath(jsonPath));
  return {
    columns: [nameOf(), ...shown.map(columnOf)],
    isGeneric: false,
    keepsOrder: true,
    order: (objects) => objects,
    row(object, now) {
      const cells = paths.map((path, i) => cellOf(path, shown[i]?.type ?? "", object, now));
      return { cells: [object.metadata?.name ?? "", ...cells] };
    },
  };
}

function columnOf(column: CustomColumn): PrinterColumn {
  const { name = "", type = "", format = "", description, priority = 0, jsonPath } = column;
  return {
    name,
    type,
    format,
    description:
      description || `Custom resource definition column (in JSONPath format): ${jsonPath ?? ""}`,
    priority,
  };
}

function cellOf(path: JsonPath | undefined, type: string, object: KubeObject, now: Date): unknown {
  const value = path?.(object)[0];
  if (value === undefined || value === null) return null;
  switch (type) {
    case "integer":
      if (typeof value === "bigint") return Number(value);
      return typeof value === "number" ? Math.trunc(value) : null;
    case "number":
      return typeof value === "bigint" ? Number(value) : typeof value === "number" ? value : null;
    case "boolean":
      return typeof value === "boolean" ? value : null;
    case "string":
      if (typeof value === "object") return encodeSortedJson(value as JsonValue);
      return String(value);
    case "date":
      return typeof value === "string" ? dateText(value, now) : null;
    default:
      return null;
  }
}

function dateText(value: string, now: Date): string {
  return Number.isNaN(Date.parse(value)) ? "<invalid>" : since(value, now);
}
