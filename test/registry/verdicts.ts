/** Runs one kind's defaults and rules on plain objects, for tables of valid and invalid ones. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeObject } from "../../src/apimachinery/meta/types.ts";
import { decodeJson } from "../../src/apimachinery/runtime/json-decode.ts";
import type { ErrorList } from "../../src/apimachinery/validation/field.ts";
import { schemaForKind } from "../../src/apis/schemas.ts";
import { registrations } from "../../src/registry/registrations.ts";
import type { ResourceRegistration, StrategyContext } from "../../src/registry/rest/strategy.ts";

export interface Setting {
  /** Gates that are on beside all others but those listed in `without`. */
  readonly without?: readonly string[];
  readonly requestApiVersion?: string;
  readonly subresource?: string;
}

const alphaGates = new Set(["MutablePVNodeAffinity", "CrossNamespaceVolumeDataSource"]);

export function contextOf(object: KubeObject, setting: Setting = {}): StrategyContext {
  const off = setting.without ?? [];
  return {
    user: { name: "admin", uid: "", groups: [], extra: {} },
    namespace: object.metadata?.namespace ?? "",
    requestApiVersion: setting.requestApiVersion ?? object.apiVersion ?? "",
    subresource: setting.subresource ?? "",
    dryRun: false,
    gate: (name) => !alphaGates.has(name) && !off.includes(name),
    allowPrivileged: true,
    now: () => new Date("2026-01-02T03:04:05Z"),
  };
}

export function registrationOf(group: string, resource: string): ResourceRegistration {
  const found = registrations.find((one) => one.group === group && one.resource === resource);
  if (found === undefined) throw new Error(`no registration of ${resource}.${group}`);
  return found;
}

/** The object as a server has it after decoding and defaulting. */
export function decoded(of: ResourceRegistration, plain: object): KubeObject {
  const { apiVersion = "", kind = "" } = plain as KubeObject;
  const [group, version] = apiVersion.includes("/") ? apiVersion.split("/") : ["", apiVersion];
  const schema = schemaForKind({ group: group ?? "", version: version ?? "", kind });
  assert.ok(schema, `${apiVersion} ${kind}`);
  const { object } = decodeJson(JSON.stringify(plain), schema, { strict: "Strict" });
  of.defaults[version ?? ""]?.(object as KubeObject);
  return object as KubeObject;
}

/** Errors of a table row, e.g. `Invalid spec.ports[0].port`. */
export const briefly = (errors: ErrorList): string[] =>
  errors.map(({ type, field }) => `${type} ${field}`);

export function createErrors(
  of: ResourceRegistration,
  plain: object,
  setting?: Setting,
): ErrorList {
  const object = decoded(of, plain);
  const context = contextOf(object, setting);
  of.strategy.prepareForCreate?.(context, object);
  return of.strategy.validate(context, object);
}

export function updateErrors(
  of: ResourceRegistration,
  plain: object,
  oldPlain: object,
  setting: Setting = {},
): ErrorList {
  const object = decoded(of, plain);
  const old = decoded(of, oldPlain);
  const context = contextOf(object, setting);
  const { subresource = "" } = setting;
  const strategy = subresource === "" ? of.strategy : of.strategy.subresources?.[subresource];
  assert.ok(strategy, `no subresource ${subresource}`);
  strategy.prepareForUpdate?.(context, object, old);
  return strategy.validateUpdate(context, object, old);
}

/** A copy with values put at paths such as `spec.ports[0].port`; `undefined` removes. */
export function changed<T extends object>(base: T, changes: Readonly<Record<string, unknown>>): T {
  const copy = structuredClone(base);
  for (const [path, value] of Object.entries(changes)) {
    const keys = path.match(/[^.[\]]+/g) ?? [];
    const last = keys.pop() ?? "";
    let at = copy as Record<string, unknown>;
    for (const key of keys) {
      at[key] ??= {};
      at = at[key] as Record<string, unknown>;
    }
    if (value === undefined) delete at[last];
    else at[last] = value;
  }
  return copy;
}

export type Row = readonly [
  name: string,
  changes: Readonly<Record<string, unknown>>,
  errors?: readonly string[],
];

/** One test for each row: what creating the changed object is refused for. */
export function testCreate(of: ResourceRegistration, base: object, rows: readonly Row[]): void {
  for (const [name, changes, errors = []] of rows) {
    test(`create ${of.resource}: ${name}`, () => {
      assert.deepEqual(briefly(createErrors(of, changed(base, changes))), errors);
    });
  }
}

/** One test for each row: what changing the object is refused for. */
export function testUpdate(
  of: ResourceRegistration,
  base: object,
  rows: readonly Row[],
  setting?: Setting,
): void {
  const at = setting?.subresource ? `${of.resource}/${setting.subresource}` : of.resource;
  for (const [name, changes, errors = []] of rows) {
    test(`update ${at}: ${name}`, () => {
      assert.deepEqual(briefly(updateErrors(of, changed(base, changes), base, setting)), errors);
    });
  }
}
