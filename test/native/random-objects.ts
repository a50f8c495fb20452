/** Random objects of any kind, from the types' tables. */
import type { JsonObject, JsonValue } from "../../src/apimachinery/runtime/json.ts";
import type {
  FieldSchema,
  StructSchema,
  TypeSchema,
} from "../../src/apimachinery/runtime/type-schema.ts";

/** A small repeatable generator (xorshift). */
export class Random {
  #state: number;
  constructor(seed: number) {
    this.#state = seed;
  }
  below(n: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % n;
  }
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
}

const TEXTS = ["", "a", "web-0", "x<y>&", "é\u2028", 'q"\\\n', "日本", "\u0001", "a".repeat(300)];
const QUANTITIES = ["0", "1", "100m", "1Gi", "1500m", "12k", "3Mi", "500n"];
const TIMES = ["2026-01-02T03:04:05Z", "1970-01-01T00:00:00Z", "1969-12-31T23:59:59Z"];
const RAWS: JsonValue[] = [
  { a: 1, b: ["x", null, true] },
  { kind: "X", apiVersion: "v1" },
];

function makeValue(type: TypeSchema, random: Random, depth: number): JsonValue | undefined {
  switch (type.kind) {
    case "string":
      if (type.enum !== undefined && random.below(4) > 0) return random.pick(type.enum);
      return random.pick(TEXTS);
    case "bool":
      return random.below(2) === 1;
    case "int":
      return random.pick(type.unsigned ? [0, 1, 4294967295] : [0, 1, -1, 2147483647, -2147483648]);
    case "float":
      return random.pick([0, 0.5, -1.25, 100]);
    case "bytes":
      // Go omits empty bytes from JSON, so they can not make the way through it.
      return Buffer.from(`b${random.pick(TEXTS)}`).toString("base64");
    case "quantity":
      return random.pick(QUANTITIES);
    case "intOrString":
      return random.pick<JsonValue>([0, 80, "http", "50%"]);
    case "time":
      return random.pick(TIMES);
    case "microTime":
      return "2026-01-02T03:04:05.000123Z";
    case "duration":
      return random.pick(["1h0m0s", "0s", "1.5s"]);
    case "fieldsV1":
    case "raw":
      return random.pick(RAWS);
    case "json":
      return undefined;
    case "list": {
      if (depth > 6) return undefined;
      const items = Array.from({ length: 1 + random.below(3) }, () =>
        makeValue(type.elem, random, depth + 1),
      );
      return items.some((item) => item === undefined) ? undefined : (items as JsonValue[]);
    }
    case "map": {
      if (depth > 6) return undefined;
      const out: JsonObject = {};
      for (const key of ["b", "a/x", "Z"].slice(0, 1 + random.below(3))) {
        const value = makeValue(type.value, random, depth + 1);
        if (value === undefined) return undefined;
        out[key] = value;
      }
      return out;
    }
    case "struct":
      return structValue(type, random, depth + 1);
  }
}

/** An object of the struct: about half of its fields, fewer the deeper. */
export function structValue(schema: StructSchema, random: Random, depth: number): JsonObject {
  const out: JsonObject = {};
  for (const field of schema.fields as readonly FieldSchema[]) {
    if (field.number === undefined || random.below(100) >= 55 - 8 * depth) continue;
    if (field.json === "resourceVersion" || field.json === "kind" || field.json === "apiVersion") {
      if (schema.name.endsWith("ObjectMeta") || schema.byJson.has("metadata")) continue;
    }
    const value = makeValue(field.type, random, depth);
    if (value !== undefined) out[field.json] = value;
  }
  return out;
}
