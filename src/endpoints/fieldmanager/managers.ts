/**
 * Rules on who counts as a manager: names, the cap on updaters, fields nobody owns, conflicts as
 * the client reads them.
 * Upstream: apimachinery/pkg/util/managedfields/internal/{capmanagers,stripmeta,conflict}.go and
 * apiserver/pkg/endpoints/handlers/create.go.
 */
import { StatusError } from "../../apimachinery/api/errors.ts";
import { quote } from "../../apimachinery/validation/field.ts";
import { FieldSet, pathText } from "./field-set.ts";
import { copyManaged, identify, type Managed, secondsOf } from "./managed-fields.ts";
import type { Conflicts } from "./updater.ts";
import { compareText } from "./value.ts";

/** More update entries than these are merged into `ancient-changes`, oldest first. */
export const UPDATE_MANAGERS_MAX = 10;

const FIELD_MANAGER_BYTES_MAX = 128;

/** The manager of a request: its fieldManager option, else the start of its User-Agent. */
export function managerOrUserAgent(manager: string, userAgent: string): string {
  if (manager !== "") return manager;
  const [prefix = ""] = userAgent.split("/");
  let name = "";
  let bytes = 0;
  for (const character of prefix) {
    if (!/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(character)) continue;
    bytes += Buffer.byteLength(character);
    if (bytes > FIELD_MANAGER_BYTES_MAX) break;
    name += character;
  }
  return name;
}

const meta = (name: string) => ["f:metadata", `f:${name}`];

/** Paths that no manager ever owns. */
const STRIPPED = FieldSet.ofPaths(
  ["f:apiVersion"],
  ["f:kind"],
  ["f:metadata"],
  meta("name"),
  meta("namespace"),
  meta("creationTimestamp"),
  meta("selfLink"),
  meta("uid"),
  meta("clusterName"),
  meta("generation"),
  meta("managedFields"),
  meta("resourceVersion"),
);

/** Takes the paths nobody owns from one manager, and the manager away when nothing is left. */
export function stripFields(managed: Managed, identifier: string): void {
  const owned = managed.fields.get(identifier);
  if (owned === undefined) return;
  const set = owned.set.difference(STRIPPED);
  if (set.isEmpty) managed.fields.delete(identifier);
  else managed.fields.set(identifier, { ...owned, set });
}

/** Merges the oldest updaters of a version into one until there are at most `max` updaters. */
export function capUpdateManagers(managed: Managed, max = UPDATE_MANAGERS_MAX): Managed {
  const updaters = [...managed.fields].filter(([, { applied }]) => !applied).map(([id]) => id);
  if (updaters.length <= max) return managed;
  const capped = copyManaged(managed);
  const { fields, times } = capped;
  updaters.sort((a, b) => secondsOf(times.get(a)) - secondsOf(times.get(b)) || compareText(a, b));
  const firstOf = new Map<string, string>();
  let count = updaters.length;
  for (const updater of updaters) {
    if (count <= max) break;
    const owned = fields.get(updater);
    if (owned === undefined) continue;
    const { apiVersion, applied } = owned;
    const info = { manager: "ancient-changes", operation: "Update", apiVersion, subresource: "" };
    const bucket = identify(capped, info);
    const first = firstOf.get(apiVersion);
    if (first === undefined) {
      firstOf.set(apiVersion, updater);
      continue;
    }
    if (!fields.has(bucket)) {
      const oldest = fields.get(first);
      fields.delete(first);
      if (oldest !== undefined) fields.set(bucket, oldest);
    }
    const set = owned.set.union(fields.get(bucket)?.set ?? FieldSet.empty);
    fields.set(bucket, { set, apiVersion, applied });
    // As upstream, even where the updater is the bucket itself.
    fields.delete(updater);
    count -= 1;
    times.set(bucket, times.get(updater));
  }
  return capped;
}

/** The 409 that lists who owns what the configuration would change. */
export function conflictError(managed: Managed, { conflicts }: Conflicts): StatusError {
  const causes = conflicts.map(({ manager, path }) => ({
    reason: "FieldManagerConflict",
    message: `conflict with ${managerText(managed, manager)}`,
    field: pathText(path),
  }));
  const message = conflictMessage(managed, conflicts);
  return new StatusError("Conflict", message, { details: { causes } });
}

function conflictMessage(managed: Managed, conflicts: Conflicts["conflicts"]): string {
  const [only] = conflicts;
  if (conflicts.length === 1 && only !== undefined) {
    const owner = managerText(managed, only.manager);
    return `Apply failed with 1 conflict: conflict with ${owner}: ${pathText(only.path)}`;
  }
  const lines: string[] = [];
  const managers = [...new Set(conflicts.map(({ manager }) => manager))].sort(compareText);
  for (const manager of managers) {
    lines.push(`conflicts with ${managerText(managed, manager)}:`);
    for (const conflict of conflicts) {
      if (conflict.manager === manager) lines.push(`- ${pathText(conflict.path)}`);
    }
  }
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join("\n")}`;
}

/** Appliers by name alone; updaters with the version they wrote. */
function managerText(managed: Managed, identifier: string): string {
  const info = managed.infos.get(identifier);
  if (info === undefined) return quote(identifier);
  const subresource = info.subresource ? ` with subresource ${quote(info.subresource)}` : "";
  const version = info.operation === "Update" ? ` using ${info.apiVersion}` : "";
  return `${quote(info.manager)}${subresource}${version}`;
}
