/**
 * The addon's rules against the defaulting functions: whatever these would change, the addon has to
 * say so. The other way round costs time only.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { apiVersionOf } from "../../src/apimachinery/runtime/gvk.ts";
import type { JsonObject, JsonValue } from "../../src/apimachinery/runtime/json.ts";
import { decodeProtobuf, encodeProtobuf } from "../../src/apimachinery/runtime/protobuf.ts";
import type { StructSchema } from "../../src/apimachinery/runtime/type-schema.ts";
import { resourceTables } from "../../src/apis/resources.ts";
import { schemaForKind } from "../../src/apis/schemas.ts";
import { storedKind } from "../../src/apis/stored-kinds.ts";
import { NativeError, native } from "../../src/native/binding.ts";
import { Random, structValue } from "./random-objects.ts";

const target = Buffer.alloc(1 << 20);

interface Kind {
  readonly apiVersion: string;
  readonly kind: string;
  readonly schema: StructSchema;
}

function storedKinds(): Kind[] {
  const kinds = new Map<string, Kind>();
  for (const { storage } of resourceTables().resources) {
    const schema = storage && schemaForKind(storage);
    if (storage === undefined || schema === undefined) continue;
    const apiVersion = apiVersionOf(storage);
    kinds.set(`${apiVersion} ${storage.kind}`, { apiVersion, kind: storage.kind, schema });
  }
  return [...kinds.values()];
}

function encoded(object: JsonObject, { apiVersion, kind, schema }: Kind): Buffer {
  const slash = apiVersion.indexOf("/");
  const [group, version] = [apiVersion.slice(0, Math.max(slash, 0)), apiVersion.slice(slash + 1)];
  return Buffer.from(encodeProtobuf(object, schema, { group, version, kind }));
}

/** The bytes with defaults. */
function modern(bytes: Buffer, of: Kind): Buffer {
  const known = storedKind(of.apiVersion, of.kind);
  assert.ok(known);
  const { object } = decodeProtobuf(bytes, of.schema);
  return encoded(known.modernize(object, of.apiVersion), of);
}

function status(bytes: Buffer, { apiVersion, kind, schema }: Kind): number {
  return native.protoToJson(schema.name, kind, apiVersion, "1", bytes, target, true);
}

/**
 * Without what no rule covers, as no server ever stored it: pods with the host's network and other
 * host ports, addresses without an address, pod-level resources that do not follow from containers'.
 */
function sane(object: JsonObject): JsonObject {
  const pod = object as { spec?: JsonObject; status?: JsonObject };
  for (const key of ["hostNetwork", "resources"]) delete pod.spec?.[key];
  for (const key of ["podIPs", "hostIPs"]) delete pod.status?.[key];
  return object;
}

/** Removes some members, anywhere in the object. */
function thinned(value: JsonValue, random: Random, oneIn: number): JsonValue {
  if (Array.isArray(value)) return value.map((item) => thinned(item, random, oneIn));
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([key]) => key === "name" || random.below(oneIn) > 0);
  return Object.fromEntries(
    kept.map(([key, item]) => [key, thinned(item as JsonValue, random, oneIn)]),
  );
}

test("what defaulting would change is called incomplete", () => {
  const random = new Random(36);
  const missed = new Map<string, string>();
  let changed = 0;
  let complete = 0;
  let needless = 0;
  for (const kind of storedKinds()) {
    for (let round = 0; round < 60; round++) {
      const full = modern(encoded(structValue(kind.schema, random, 0), kind), kind);
      const { object } = decodeProtobuf(full, kind.schema);
      const thin = thinned(object, random, 2 + random.below(40)) as JsonObject;
      const bytes = encoded(kind.kind === "Pod" ? sane(thin) : thin, kind);
      const result = status(bytes, kind);
      if (modern(bytes, kind).equals(bytes)) {
        if (result >= 0) complete++;
        else needless++;
        continue;
      }
      changed++;
      if (result !== NativeError.incomplete) {
        missed.set(
          kind.kind,
          `${JSON.stringify(decodeProtobuf(bytes, kind.schema).object)} ${JSON.stringify(decodeProtobuf(modern(bytes, kind), kind.schema).object)}`,
        );
      }
    }
  }
  assert.deepEqual([...missed], []);
  assert.ok(changed > 500 && complete > 500, `${changed} changed, ${complete} complete`);
  assert.ok(needless < complete / 4, `${needless} needless, ${complete} complete`);
});
