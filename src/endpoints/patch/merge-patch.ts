/**
 * JSON merge patch (RFC 7386) as evanphx/json-patch v4 does it.
 * Upstream: gopkg.in/evanphx/json-patch.v4/merge.go and apiserver/pkg/endpoints/handlers/patch.go.
 */
import { badRequest } from "../../apimachinery/api/errors.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../apimachinery/runtime/json.ts";
import type { FieldValidation } from "../../apimachinery/runtime/json-decode.ts";
import { JsonReader, setOwn, textOf } from "../../apimachinery/runtime/json-reader.ts";
import type { Patched } from "./json-patch.ts";
import { decodeObjectPatch, decoding } from "./patch-body.ts";
import { containersOf } from "./patched-document.ts";

/**
 * The document with the patch merged in. The result shares what is unchanged with the document, so
 * it must not be written to. Throws 400 for a body that is no merge patch. Under `Ignore` a list
 * takes the document's place, as upstream does; decoding it then fails.
 */
export function applyMergePatch(
  document: JsonObject,
  body: Uint8Array | string,
  fieldValidation: FieldValidation,
): Patched {
  if (fieldValidation === "Ignore") return mergeLaxly(document, body);
  const { patch, strictErrors } = decodeObjectPatch(
    body,
    fieldValidation,
    "error decoding patch: ",
  );
  if (patch === null) throw badRequest("Invalid JSON Patch");
  return { document: mergeObjects(document, patch), strictErrors, isSorted: outside(document) };
}

/** Whether an object is none of the document's: looked for when first asked. */
function outside(document: JsonObject): (object: object) => boolean {
  let containers: Set<object> | undefined;
  return (object) => {
    containers ??= containersOf(document);
    return !containers.has(object);
  };
}

function mergeLaxly(document: JsonObject, body: Uint8Array | string): Patched {
  const reader = new JsonReader(typeof body === "string" ? body : textOf(body));
  let patch: JsonValue;
  try {
    patch = decoding("", () => {
      const value = reader.readAny();
      reader.expectEnd();
      return value;
    });
  } catch {
    throw badRequest("Invalid JSON Patch");
  }
  const isSorted = outside(document);
  if (Array.isArray(patch)) return { document: withoutNulls(patch), strictErrors: [], isSorted };
  if (typeof patch !== "object" || patch === null) throw badRequest("Invalid JSON Patch");
  return { document: mergeObjects(document, patch), strictErrors: [], isSorted };
}

/** Merges a decoded patch into a document; shares what is unchanged with both. */
export function mergeObjects(document: JsonObject, patch: JsonObject): JsonObject {
  const out: JsonObject = { ...document };
  for (const name of Object.keys(patch)) {
    const value = patch[name] ?? null;
    if (value === null) delete out[name];
    else {
      const current = Object.hasOwn(document, name) ? document[name] : undefined;
      setOwn<JsonValue | undefined>(out, name, mergeValue(current ?? null, value));
    }
  }
  return out;
}

function mergeValue(current: JsonValue, patch: JsonValue): JsonValue {
  if (!isJsonObject(current)) return withoutNulls(patch);
  return isJsonObject(patch) ? mergeObjects(current, patch) : patch;
}

/** Without null members at any depth; null items of lists stay. */
function withoutNulls(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map((item) => (item === null ? null : withoutNulls(item)));
  if (!isJsonObject(value)) return value;
  const out: JsonObject = {};
  for (const name of Object.keys(value)) {
    const member = value[name] ?? null;
    if (member !== null) setOwn<JsonValue | undefined>(out, name, withoutNulls(member));
  }
  return out;
}
