/**
 * The JSON upstream's field errors print for structs. Validation there runs on internal types, which
 * have no JSON tags: every field is printed, under its Go name, zero or not. Types of apimachinery
 * (metav1) have tags and print as in the API.
 */
import type {
  FieldSchema,
  StructSchema,
  TypeSchema,
} from "../../apimachinery/runtime/type-schema.ts";
import { goJson } from "../../apimachinery/validation/field.ts";
import { findStruct } from "../schemas.ts";

const META = "k8s.io/apimachinery/";

/** `value` of the struct `goName` (a name of the types table) as upstream prints it. */
export function goInternalJson(value: unknown, goName: string): string {
  const schema = findStruct(goName);
  if (value === undefined || value === null || schema === undefined) return goJson(value ?? null);
  return goJson(internalOf(value, schema));
}

function internalOf(value: unknown, type: TypeSchema): unknown {
  if (type.kind === "struct") return structOf(value, type);
  if (type.kind === "list") {
    if (!Array.isArray(value)) return null;
    return value.map((item: unknown) => internalOf(item, type.elem));
  }
  if (type.kind === "map") {
    if (typeof value !== "object" || value === null) return null;
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(entries.map(([key, item]) => [key, internalOf(item, type.value)]));
  }
  return value;
}

function structOf(value: unknown, schema: StructSchema): unknown {
  const object = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (schema.name.startsWith(META)) return taggedStructOf(object, schema);
  const out: Record<string, unknown> = {};
  for (const field of schema.fields) {
    // Metadata is embedded without a tag: its own fields come up, under their JSON names.
    if (EMBEDDED.has(field.go)) Object.assign(out, internalOf(object[field.json], field.type));
    else out[field.go] = fieldOf(object[field.json], field);
  }
  if (schema.name === POD_SPEC) return podSpecOf(out);
  const order = ORDERS[schema.name];
  return order === undefined ? out : arranged(out, order);
}

/** A struct with JSON tags: what is empty is left out where its tag says so. */
function taggedStructOf(object: Readonly<Record<string, unknown>>, schema: StructSchema): unknown {
  const out: Record<string, unknown> = {};
  for (const { json, type, omitempty } of schema.fields) {
    const value = object[json];
    if (value === undefined || value === null) continue;
    const inner = internalOf(value, type);
    const isEmpty = type.kind === "list" || type.kind === "map";
    if (omitempty && isEmpty && Object.keys(inner ?? {}).length === 0) continue;
    out[json] = inner;
  }
  return out;
}

/** The same fields, those of `order` together where the first of them is, in that order. */
function arranged(
  fields: Readonly<Record<string, unknown>>,
  order: readonly string[],
): Record<string, unknown> {
  const names = Object.keys(fields);
  const first = names.findIndex((name) => order.includes(name));
  const rest = names.filter((name) => !order.includes(name));
  rest.splice(first, 0, ...order);
  return Object.fromEntries(rest.map((name) => [name, fields[name]]));
}

const CORE = "k8s.io/api/core/v1.";
const PERSISTENT_VOLUME_SOURCES = [
  "GCEPersistentDisk",
  "AWSElasticBlockStore",
  "HostPath",
  "Glusterfs",
  "NFS",
  "RBD",
  "Quobyte",
  "ISCSI",
  "FlexVolume",
  "Cinder",
  "CephFS",
  "FC",
  "Flocker",
  "AzureFile",
  "VsphereVolume",
  "AzureDisk",
  "PhotonPersistentDisk",
  "PortworxVolume",
  "ScaleIO",
  "Local",
  "StorageOS",
  "CSI",
];
/** Structs whose internal type has the fields in another order than v1. */
const ORDERS: Readonly<Record<string, readonly string[]>> = {
  [`${CORE}PersistentVolumeSource`]: PERSISTENT_VOLUME_SOURCES,
  [`${CORE}PersistentVolumeSpec`]: PERSISTENT_VOLUME_SOURCES,
  [`${CORE}Volume`]: [
    "HostPath",
    "EmptyDir",
    "GCEPersistentDisk",
    "AWSElasticBlockStore",
    "GitRepo",
    "Secret",
    "NFS",
    "ISCSI",
    "Glusterfs",
    "PersistentVolumeClaim",
    "RBD",
    "Quobyte",
    "FlexVolume",
    "Cinder",
    "CephFS",
    "Flocker",
    "DownwardAPI",
    "FC",
    "AzureFile",
    "ConfigMap",
    "VsphereVolume",
    "AzureDisk",
    "PhotonPersistentDisk",
    "Projected",
    "PortworxVolume",
    "ScaleIO",
    "StorageOS",
    "CSI",
    "Ephemeral",
    "Image",
  ],
  "k8s.io/api/batch/v1.JobSpec": [
    "Parallelism",
    "Completions",
    "PodFailurePolicy",
    "SuccessPolicy",
    "ActiveDeadlineSeconds",
    "BackoffLimit",
    "BackoffLimitPerIndex",
    "MaxFailedIndexes",
    "Selector",
    "ManualSelector",
    "Template",
    "TTLSecondsAfterFinished",
    "CompletionMode",
    "Suspend",
    "PodReplacementPolicy",
    "ManagedBy",
  ],
};

const EMBEDDED = new Set(["TypeMeta", "ObjectMeta", "ListMeta"]);
const POD_SPEC = "k8s.io/api/core/v1.PodSpec";
/** These are part of the security context in the internal type. */
const HOST_FIELDS = ["HostNetwork", "HostPID", "HostIPC", "ShareProcessNamespace", "HostUsers"];
/** Where the internal pod spec has fields in another order: each comes after the other. */
const MOVED: Readonly<Record<string, string>> = {
  SetHostnameAsFQDN: "Subdomain",
  PreemptionPolicy: "Priority",
  RuntimeClassName: "ReadinessGates",
  Overhead: "RuntimeClassName",
  EnableServiceLinks: "Overhead",
};

/** A pod spec whose fields are those of v1, arranged as in the internal type. */
function podSpecOf(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const names = Object.keys(fields).filter(
    (name) => !HOST_FIELDS.includes(name) && name !== "DeprecatedServiceAccount",
  );
  for (const [name, before] of Object.entries(MOVED)) {
    names.splice(names.indexOf(name), 1);
    names.splice(names.indexOf(before) + 1, 0, name);
  }
  const out = Object.fromEntries(names.map((name) => [name, fields[name]]));
  const context = fields["SecurityContext"];
  if (context === null) return out;
  const host = Object.fromEntries(HOST_FIELDS.map((name) => [name, fields[name]]));
  out["SecurityContext"] = securityContextOf({ ...host, ...(context as object) });
  return out;
}

const CONTEXT_FIELDS = [
  ...HOST_FIELDS,
  "SELinuxOptions",
  "WindowsOptions",
  "RunAsUser",
  "RunAsGroup",
  "RunAsNonRoot",
  "SupplementalGroups",
  "SupplementalGroupsPolicy",
  "FSGroup",
  "FSGroupChangePolicy",
  "Sysctls",
  "SeccompProfile",
  "AppArmorProfile",
  "SELinuxChangePolicy",
];

function securityContextOf(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(CONTEXT_FIELDS.map((name) => [name, fields[name]]));
}

function fieldOf(value: unknown, { type, pointer }: FieldSchema): unknown {
  if (value !== undefined) return internalOf(value, type);
  if (pointer) return null;
  switch (type.kind) {
    case "string":
      return "";
    case "bool":
      return false;
    case "int":
    case "float":
    case "intOrString":
      return 0;
    case "quantity":
      return "0";
    case "struct":
      return structOf({}, type);
    default:
      return null;
  }
}
