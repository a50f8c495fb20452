/**
 * JSON as CEL values, wrapped level by level as an expression looks into it.
 * Upstream: apiserver/pkg/cel/common/valuesunstructured.go.
 */
import { isJsonObject } from "../../apimachinery/runtime/json.ts";
import { parseDuration, parseTimestamp } from "./time.ts";
import type { CelType, ListType, MapType, ObjectType } from "./types.ts";
import { DYN, STRING } from "./types.ts";
import { ArrayList, CelError, CelList, CelMap, type CelValue, equal } from "./values.ts";

type Json = Readonly<Record<string, unknown>>;

/** A JSON value as a value of the declared type. Throws CelError where it is none. */
export function wrapJson(value: unknown, type: CelType): CelValue {
  if (value === null || value === undefined) return null;
  switch (type.kind) {
    case "list":
      return Array.isArray(value) ? new JsonList(value, type) : misfit(type);
    case "map":
      return isJsonObject(value) ? new JsonMap(value, type) : misfit(type);
    case "object":
      return isJsonObject(value) ? new JsonObject(value, type) : misfit(type);
    case "int":
      return typeof value === "number" ? BigInt(Math.trunc(value)) : plain(value, "bigint", type);
    case "double":
      return typeof value === "bigint" ? Number(value) : plain(value, "number", type);
    case "bool":
      return plain(value, "boolean", type);
    case "string":
      return plain(value, "string", type);
    case "bytes":
      return Buffer.from(plain(value, "string", type) as string, "base64");
    case "duration":
      return parseDuration(plain(value, "string", type) as string);
    case "timestamp":
      return parseTimestamp(dateText(plain(value, "string", type) as string));
    default:
      return wrapDyn(value);
  }
}

function dateText(text: string): string {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text;
}

function misfit(type: CelType): never {
  throw new CelError(`invalid data, expected ${type.kind}`);
}

function plain(value: unknown, kind: "string" | "boolean" | "number" | "bigint", type: CelType) {
  const found: string = typeof value;
  return found === kind ? (value as CelValue) : misfit(type);
}

const DYN_LIST: ListType = { kind: "list", elem: DYN };
const DYN_MAP: MapType = { kind: "map", key: STRING, value: DYN };

/** JSON without a schema: whole numbers are ints. */
function wrapDyn(value: unknown): CelValue {
  switch (typeof value) {
    case "number":
      return Number.isInteger(value) ? BigInt(value) : value;
    case "string":
    case "boolean":
    case "bigint":
      return value;
    default:
      if (Array.isArray(value)) return new JsonList(value, DYN_LIST);
      return isJsonObject(value) ? new JsonMap(value, DYN_MAP) : null;
  }
}

class JsonList extends CelList {
  readonly raw: readonly unknown[];
  readonly #type: ListType;
  constructor(raw: readonly unknown[], type: ListType) {
    super();
    this.raw = raw;
    this.#type = type;
  }
  get size(): number {
    return this.raw.length;
  }
  at(index: number): CelValue {
    return wrapJson(this.raw[index], this.#type.elem);
  }
  override equals(other: CelList): boolean {
    if (this.#type.listType === undefined) return super.equals(other);
    if (other.size !== this.size) return false;
    const theirs = [...other];
    return [...this].every((mine) => theirs.some((one) => equal(mine, one)));
  }
  override concat(other: CelList): CelList {
    const { listType } = this.#type;
    if (listType === undefined) return super.concat(other);
    const values = [...this];
    for (const value of other) {
      const at = values.findIndex((mine) => this.#sameEntry(mine, value));
      if (at < 0) values.push(value);
      else if (listType === "map") values[at] = value;
    }
    return new ArrayList(values);
  }
  /** Whether two values are the same element of the set, or of the map by its keys. */
  #sameEntry(left: CelValue, right: CelValue): boolean {
    const { mapKeys } = this.#type;
    if (mapKeys === undefined || !(left instanceof CelMap) || !(right instanceof CelMap)) {
      return equal(left, right);
    }
    return mapKeys.every((key) => {
      const mine = left.get(key);
      const theirs = right.get(key);
      if (mine === undefined || theirs === undefined) return mine === theirs;
      return equal(mine, theirs);
    });
  }
}

class JsonMap extends CelMap {
  readonly #raw: Json;
  readonly #type: MapType;
  constructor(raw: Json, type: MapType) {
    super();
    this.#raw = raw;
    this.#type = type;
  }
  get size(): number {
    return Object.keys(this.#raw).length;
  }
  get(key: CelValue): CelValue | undefined {
    if (typeof key !== "string" || !Object.hasOwn(this.#raw, key)) return undefined;
    const value = this.#raw[key];
    return value === undefined ? undefined : wrapJson(value, this.#type.value);
  }
  keys(): readonly string[] {
    return Object.keys(this.#raw);
  }
}

/** An object with declared fields. */
class JsonObject extends CelMap {
  readonly #raw: Json;
  readonly #type: ObjectType;
  constructor(raw: Json, type: ObjectType) {
    super();
    this.#raw = raw;
    this.#type = type;
  }
  override get type(): CelType {
    return this.#type;
  }
  get size(): number {
    return Object.keys(this.#raw).length;
  }
  get(key: CelValue): CelValue | undefined {
    if (typeof key !== "string") return undefined;
    const field = this.#type.field(key);
    if (field === undefined || !Object.hasOwn(this.#raw, field.property)) return undefined;
    const value = this.#raw[field.property];
    return value === undefined ? undefined : wrapJson(value, field.type);
  }
  keys(): readonly string[] {
    return Object.keys(this.#raw);
  }
  override equals(other: CelMap): boolean {
    if (!(other instanceof JsonObject)) return super.equals(other);
    const mine = Object.keys(this.#raw);
    if (mine.length !== other.size) return false;
    return mine.every(
      (name) =>
        Object.hasOwn(other.#raw, name) &&
        equal(wrapDyn(this.#raw[name]), wrapDyn(other.#raw[name])),
    );
  }
}
