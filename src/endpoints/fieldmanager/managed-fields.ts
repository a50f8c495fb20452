/**
 * metadata.managedFields between its wire form and sets by manager.
 * Upstream: apimachinery/pkg/util/managedfields/internal/managedfields.go.
 */
import type { ManagedFieldsEntry } from "../../apimachinery/meta/types.ts";
import { quote } from "../../apimachinery/validation/field.ts";
import { FieldSet } from "./field-set.ts";
import { canonicalJson, FieldsError } from "./path-element.ts";
import type { Managers } from "./updater.ts";
import { compareText, type JsonMap } from "./value.ts";

/** Who an entry belongs to: what tells entries of one object apart. */
export interface ManagerInfo {
  readonly manager: string;
  readonly operation: string;
  readonly apiVersion: string;
  readonly subresource: string;
}

/** Owners of an object's fields, by manager identifier, with the times they last wrote. */
export interface Managed {
  readonly fields: Managers;
  readonly times: Map<string, string | undefined>;
  readonly infos: Map<string, ManagerInfo>;
}

export function emptyManaged(): Managed {
  return { fields: new Map(), times: new Map(), infos: new Map() };
}

/** A copy whose maps may be written to. */
export function copyManaged({ fields, times, infos }: Managed): Managed {
  return { fields: new Map(fields), times: new Map(times), infos: new Map(infos) };
}

/**
 * The identifier of a manager: the entry's JSON without what changes. An applier has one entry
 * whatever the version, so its version is no part of it. Records what it stands for in `managed`.
 */
export function identify(managed: Managed, info: ManagerInfo): string {
  let identifier = "{";
  if (info.manager) identifier += `"manager":${canonicalJson(info.manager)},`;
  identifier += `"operation":"${info.operation}"`;
  if (info.operation !== "Apply") identifier += `,"apiVersion":${canonicalJson(info.apiVersion)}`;
  if (info.subresource) identifier += `,"subresource":${canonicalJson(info.subresource)}`;
  identifier += "}";
  if (!managed.infos.has(identifier)) managed.infos.set(identifier, info);
  return identifier;
}

/**
 * Decodes entries. `trusted`: they come from storage, so their sets are canonical and are read only
 * as far as needed. Throws FieldsError with upstream's reason.
 */
export function decodeManagedFields(
  entries: readonly ManagedFieldsEntry[] | undefined,
  trusted: boolean,
): Managed {
  const managed = emptyManaged();
  for (const [i, entry] of (entries ?? []).entries()) {
    const { operation = "", apiVersion = "", fieldsType = "" } = entry;
    if (operation !== "Apply" && operation !== "Update") {
      throw new FieldsError("operation must be `Apply` or `Update`");
    }
    if (apiVersion === "") throw new FieldsError("apiVersion must not be empty");
    if (fieldsType === "") {
      throw new FieldsError(`missing fieldsType in managed fields entry ${i}`);
    }
    if (fieldsType !== "FieldsV1") {
      throw new FieldsError(`invalid fieldsType ${quote(fieldsType)} in managed fields entry ${i}`);
    }
    const { manager = "", subresource = "" } = entry;
    const identifier = identify(managed, { manager, operation, apiVersion, subresource });
    const raw = (entry.fieldsV1 ?? {}) as JsonMap;
    const set = trusted ? FieldSet.trusted(raw) : FieldSet.decode(raw);
    managed.fields.set(identifier, { set, apiVersion, applied: operation === "Apply" });
    managed.times.set(identifier, entry.time);
  }
  return managed;
}

/** As decodeManagedFields, but malformed entries count as none. */
export function decodeOrEmpty(
  entries: readonly ManagedFieldsEntry[] | undefined,
  trusted: boolean,
): Managed {
  try {
    return decodeManagedFields(entries, trusted);
  } catch (error) {
    if (!(error instanceof FieldsError)) throw error;
    return emptyManaged();
  }
}

/** The wire form, in upstream's order; undefined when nobody owns anything. */
export function encodeManagedFields(managed: Managed): ManagedFieldsEntry[] | undefined {
  if (managed.fields.size === 0) return undefined;
  const entries: ManagedFieldsEntry[] = [];
  for (const [identifier, { set, apiVersion, applied }] of managed.fields) {
    const info = managed.infos.get(identifier);
    const operation = applied ? "Apply" : info?.operation;
    const time = managed.times.get(identifier);
    // Members in the order of Go's struct, which JSON keeps.
    const entry: ManagedFieldsEntry = {};
    if (info?.manager) entry.manager = info.manager;
    if (operation) entry.operation = operation;
    if (apiVersion) entry.apiVersion = apiVersion;
    if (time !== undefined) entry.time = time;
    entry.fieldsType = "FieldsV1";
    entry.fieldsV1 = set.toFieldsV1();
    if (info?.subresource) entry.subresource = info.subresource;
    entries.push(entry);
  }
  return entries.sort(compareEntries);
}

function compareEntries(p: ManagedFieldsEntry, q: ManagedFieldsEntry): number {
  return (
    compareText(p.operation ?? "", q.operation ?? "") ||
    secondsOf(p.time) - secondsOf(q.time) ||
    compareText(p.manager ?? "", q.manager ?? "") ||
    compareText(p.apiVersion ?? "", q.apiVersion ?? "") ||
    compareText(p.subresource ?? "", q.subresource ?? "")
  );
}

/** Unix seconds of an entry's time; an entry without one is oldest. */
export function secondsOf(time: string | undefined): number {
  if (time === undefined) return 0;
  const milliseconds = Date.parse(time);
  return Number.isNaN(milliseconds) ? 0 : Math.floor(milliseconds / 1000);
}

/** True when the client asks to forget all owners: `[]` or `[{}]`. */
export function isReset(entries: readonly ManagedFieldsEntry[] | undefined): boolean {
  if (entries === undefined || entries.length > 1) return false;
  const [only] = entries;
  return only === undefined || Object.values(only).every((value) => value === undefined);
}

/**
 * What mutating admission made of the managed fields: entries it left malformed are put back, and
 * the warning says so. Upstream: apiserver/pkg/endpoints/handlers/fieldmanager/admission.go.
 */
export function checkAfterAdmission(
  before: readonly ManagedFieldsEntry[] | undefined,
  after: readonly ManagedFieldsEntry[] | undefined,
): { managedFields: readonly ManagedFieldsEntry[] | undefined; warning?: string } {
  if (before === after) return { managedFields: after };
  try {
    decodeManagedFields(after, false);
    return { managedFields: after };
  } catch (error) {
    if (!(error instanceof FieldsError)) throw error;
    const warning =
      ".metadata.managedFields was in an invalid state after admission; this could be caused by " +
      "an outdated mutating admission controller; please fix your requests: " +
      error.message;
    return { managedFields: before, warning };
  }
}
