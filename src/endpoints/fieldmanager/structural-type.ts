/**
 * How custom resources merge: the merge type of a structural schema.
 * Upstream: kube-openapi/pkg/schemaconv, over what apiextensions' OpenAPI builder makes of a schema.
 */
import { additionalSchema, itemsSchema, type Schema } from "../../apis/apiextensions/schema.ts";
import { structOf } from "../../apis/schemas.ts";
import {
  deduced,
  type MergeField,
  type MergeList,
  MergeMap,
  type MergeType,
  mergeType,
  mergeTypeOf,
  untypedAtomic,
} from "./merge-type.ts";
import { compareText } from "./value.ts";

const META = "k8s.io/apimachinery/pkg/apis/meta/v1";
const STRING: MergeField = { type: mergeType({ scalar: "string" }) };

const made = new WeakMap<Schema, MergeType>();

/** The type of whole objects; without a schema that of anything. */
export function structuralMergeType(schema: Schema | undefined): MergeType {
  if (schema === undefined) return deduced;
  let type = made.get(schema);
  if (type === undefined) {
    type = objectType(schema, true);
    made.set(schema, type);
  }
  return type;
}

function objectType(schema: Schema, isResource: boolean): MergeType {
  const fields = () => {
    const found = new Map<string, MergeField>(
      Object.entries(schema.properties ?? {}).map(([name, one]) => [name, fieldOf(one)]),
    );
    if (!isResource) return found;
    const metadata = mergeTypeOf(structOf(`${META}.ObjectMeta`));
    return found.set("apiVersion", STRING).set("kind", STRING).set("metadata", { type: metadata });
  };
  const atomic = schema["x-kubernetes-map-type"] === "atomic";
  return mergeType({ map: new MergeMap(fields, otherMembers(schema, isResource), atomic) });
}

/** The type of members without a property of their own; undefined: there may be none. */
function otherMembers(schema: Schema, isResource: boolean): MergeType | undefined {
  const additional = additionalSchema(schema);
  if (additional !== undefined) return typeOf(additional);
  if (schema["x-kubernetes-preserve-unknown-fields"] === true) return deduced;
  if (schema.additionalProperties === true) return deduced;
  const isFree = Object.keys(schema.properties ?? {}).length === 0 && !isResource;
  return isFree ? deduced : undefined;
}

function fieldOf(schema: Schema): MergeField {
  const type = typeOf(schema);
  return schema.default === undefined ? { type } : { type, default: schema.default };
}

function typeOf(schema: Schema): MergeType {
  if (schema["x-kubernetes-int-or-string"] === true) return mergeType({ scalar: "untyped" });
  const isEmbedded = schema["x-kubernetes-embedded-resource"] === true;
  switch (schema.type) {
    case "object":
      return objectType(schema, isEmbedded);
    case "array":
      return mergeType({ list: listOf(schema) });
    case "string": {
      const hasFormat = schema.format !== undefined && !["", "byte"].includes(schema.format);
      return mergeType({ scalar: hasFormat ? "untyped" : "string" });
    }
    case "integer":
    case "number":
      return mergeType({ scalar: "numeric" });
    case "boolean":
      return mergeType({ scalar: "boolean" });
    default:
      return schema["x-kubernetes-preserve-unknown-fields"] === true ? deduced : untypedAtomic;
  }
}

function listOf(schema: Schema): MergeList {
  const items = itemsSchema(schema);
  const elem = items === undefined ? untypedAtomic : typeOf(items);
  const kind = schema["x-kubernetes-list-type"];
  if (kind === "set") return { elem, associative: true, keys: [], declaredKeys: [] };
  if (kind !== "map") return { elem, associative: false, keys: [], declaredKeys: [] };
  const declaredKeys = schema["x-kubernetes-list-map-keys"] ?? [];
  return { elem, associative: true, keys: [...declaredKeys].sort(compareText), declaredKeys };
}
