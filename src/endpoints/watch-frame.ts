/** Watch events in protobuf, for the forms the cache does not hold itself. */
import { decodeJson } from "../apimachinery/runtime/json-decode.ts";
import { encodeProtobuf } from "../apimachinery/runtime/protobuf.ts";
import { structOf } from "../apis/schemas.ts";
import type { ServedResource } from "../registry/generic/served-resource.ts";
import type { Negotiated } from "./negotiation.ts";

const META = "k8s.io/apimachinery/pkg/apis/meta/v1";

/** Four bytes of big-endian length, then meta.v1.WatchEvent with the object's own envelope. */
export function protobufFrame(
  resource: ServedResource,
  negotiated: Negotiated,
  type: string,
  json: string,
): Uint8Array {
  const isStatus = type === "ERROR";
  const isPartial = negotiated.as !== undefined;
  const schema = isStatus
    ? structOf(`${META}.Status`)
    : isPartial
      ? structOf(`${META}.PartialObjectMetadata`)
      : resource.schema;
  const kind = isStatus
    ? { group: "", version: "v1", kind: "Status" }
    : isPartial
      ? { group: "meta.k8s.io", version: negotiated.asVersion, kind: "PartialObjectMetadata" }
      : resource.kind;
  const { object } = decodeJson(json, schema, { strict: "Ignore" });
  const raw = field(1, encodeProtobuf(object, schema, kind));
  const message = Buffer.concat([field(1, Buffer.from(type)), field(2, raw)]);
  const frame = Buffer.alloc(4 + message.length);
  frame.writeUInt32BE(message.length, 0);
  frame.set(message, 4);
  return frame;
}

/** A length-delimited field: WatchEvent is {1: type, 2: object}, RawExtension {1: raw}. */
function field(number: number, bytes: Uint8Array): Buffer {
  const head: number[] = [(number << 3) | 2];
  let length = bytes.length;
  for (; length > 0x7f; length >>>= 7) head.push((length & 0x7f) | 0x80);
  head.push(length);
  return Buffer.concat([Buffer.from(head), bytes]);
}
