/**
 * Version 2 keeps parameters that recur in one place and refers to them by a name made of their
 * bytes. Upstream: kube-openapi/pkg/builder/parameters.go.
 */
import type { JsonObject } from "../../apimachinery/runtime/json.ts";

/** Kubectl before 1.28 looks for these in the operations themselves. */
const NEVER_SHARED = new Set(["name", "fieldValidation", "dryRun"]);

/**
 * Puts `{"$ref": "#/parameters/..."}` in place of every parameter that no kind makes special, in
 * the paths given; returns what they refer to, by name.
 */
export function shareParameters(paths: JsonObject): JsonObject {
  const shared: JsonObject = {};
  const names = new Map<string, string>();
  const share = (owner: JsonObject) => {
    const list = owner["parameters"];
    if (!Array.isArray(list)) return;
    owner["parameters"] = list.map((parameter) => {
      if (!isShared(parameter as JsonObject)) return parameter;
      const text = goJson(parameter as JsonObject);
      const name = names.get(text) ?? sharedName(parameter as JsonObject, text);
      names.set(text, name);
      shared[name] = parameter;
      return { $ref: `#/parameters/${name}` };
    });
  };
  for (const path of Object.values(paths) as JsonObject[]) {
    share(path);
    for (const [member, operation] of Object.entries(path)) {
      if (member !== "parameters") share(operation as JsonObject);
    }
  }
  return shared;
}

function isShared({ $ref, name, in: place, schema }: JsonObject): boolean {
  if ($ref !== undefined || NEVER_SHARED.has(String(name))) return false;
  if (place !== "body") return true;
  const ref = String((schema as JsonObject | undefined)?.["$ref"]);
  return ref.startsWith("#/definitions/io.k8s.apimachinery");
}

/** JSON as Go's encoder writes it: HTML's characters are escaped. */
function goJson(value: JsonObject): string {
  return JSON.stringify(value).replace(
    /[<>&]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function sharedName({ name }: JsonObject, text: string): string {
  return `${String(name)}-${fnv64(Buffer.from(text)).subarray(0, 6).toString("base64url")}`;
}

/** FNV-1, 64 bits, big-endian. */
function fnv64(bytes: Buffer): Buffer {
  let hash = 0xcbf29ce484222325n;
  for (const byte of bytes) {
    hash = BigInt.asUintN(64, hash * 0x100000001b3n) ^ BigInt(byte);
  }
  const result = Buffer.alloc(8);
  result.writeBigUInt64BE(hash);
  return result;
}
