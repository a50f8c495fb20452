/** The built-in resources: what discovery, routing, storage and printing need to know of each. */
import type { GroupVersionKind } from "../apimachinery/runtime/gvk.ts";
import columnTables from "./generated/columns.generated.json" with { type: "json" };
import tables from "./generated/resources.generated.json" with { type: "json" };

/** A column of a Table answer, as metav1.TableColumnDefinition. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: string;
  readonly format: string;
  readonly description: string;
  readonly priority: number;
}

export interface BuiltInSubresource {
  readonly name: string;
  readonly kind: string;
  /** Present when they differ from the resource's own, e.g. autoscaling/v1 for scale. */
  readonly group?: string;
  readonly version?: string;
  /** Sorted. */
  readonly verbs: readonly string[];
}

export interface BuiltInResource {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly kind: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  /** Sorted, as discovery prints them. */
  readonly verbs: readonly string[];
  readonly subresources: readonly BuiltInSubresource[];
  /** Served without any --runtime-config. */
  readonly default: boolean;
  readonly storageVersionHash?: string;
  /** What etcd holds; absent for resources that are not persisted. */
  readonly storage?: GroupVersionKind;
  /** Below --etcd-prefix, e.g. `services/specs`. */
  readonly etcdPrefix?: string;
  /** The labels a fieldSelector may name. */
  readonly fieldLabels: readonly string[];
  readonly columns: readonly PrinterColumn[];
}

/** A group's place in discovery and in APIService objects; higher priorities come first. */
export interface GroupOrder {
  readonly group: string;
  readonly priority: number;
  readonly versions: readonly { readonly version: string; readonly priority: number }[];
}

type RawColumn = Omit<PrinterColumn, "description">;
type RawResource = Omit<BuiltInResource, "columns"> & { readonly columns: readonly RawColumn[] };
type ColumnRow = readonly [
  name: string,
  type: string,
  format: string,
  priority: number,
  text: number,
];

let loaded: { resources: readonly BuiltInResource[]; groups: readonly GroupOrder[] } | undefined;

/** The tables, joined once. */
export function resourceTables() {
  loaded ??= {
    groups: tables.groups,
    resources: (tables.resources as readonly RawResource[]).map((r) => ({
      ...r,
      columns: columnsOf(r),
    })),
  };
  return loaded;
}

function columnsOf(resource: RawResource): PrinterColumn[] {
  const recorded = (columnTables.columns as unknown as Record<string, ColumnRow[]>)[
    `${resource.group}/${resource.version}/${resource.resource}`
  ];
  if (recorded === undefined) {
    return resource.columns.map(({ name, type, format, priority }) => ({
      name,
      type,
      format,
      description: commonText(name),
      priority,
    }));
  }
  return recorded.map(([name, type, format, priority, text]) => ({
    name,
    type,
    format,
    description: columnTables.texts[text] ?? "",
    priority,
  }));
}

let nameText: string | undefined;
let ageText: string | undefined;

/** Name and Age carry the same description everywhere. */
function commonText(columnName: string): string {
  nameText ??= columnTables.texts.find((text) => text.startsWith("Name must be unique"));
  ageText ??= columnTables.texts.find((text) => text.startsWith("CreationTimestamp is"));
  if (columnName === "Name") return nameText ?? "";
  return columnName === "Age" || columnName === "Created At" ? (ageText ?? "") : "";
}
