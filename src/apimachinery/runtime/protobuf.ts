/** The protobuf form of API objects. Upstream: apimachinery/pkg/runtime/serializer/protobuf. */
export {
  decodeProtobuf,
  decodeProtobufMessage,
  type Envelope,
  interpretEnvelope,
  openEnvelope,
} from "./protobuf-decode.ts";
export {
  encodeProtobuf,
  encodeProtobufMessage,
  encodeRawProtobuf,
  isProtobuf,
} from "./protobuf-encode.ts";
