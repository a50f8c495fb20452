/** JSON as this server holds it: integers beyond 2^53 are bigint, so that no digit is lost. */
export type JsonValue = null | boolean | number | bigint | string | JsonValue[] | JsonObject;
/** A JSON object. `undefined` equals absence. */
export interface JsonObject {
  [name: string]: JsonValue | undefined;
}
