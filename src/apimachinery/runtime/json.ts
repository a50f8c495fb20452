/** JSON as this server holds it: integers beyond 2^53 are bigint, so that no digit is lost. */
export type JsonValue = null | boolean | number | bigint | string | JsonValue[] | JsonObject;
/** A JSON object. `undefined` equals absence. */
export interface JsonObject {
  [name: string]: JsonValue | undefined;
}

/** Whether a value of parsed JSON is an object: no list and not null. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
