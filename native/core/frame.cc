#include "core/frame.h"

#include "core/json_scan.h"
#include "core/status.h"
#include "transcode/envelope.h"
#include "transcode/json_to_proto.h"
#include "transcode/json_writer.h"
#include "transcode/proto_to_json.h"
#include "transcode/type_table.h"

namespace klystron {
namespace {

constexpr std::string_view kNames[] = {"ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR", "BOOKMARK"};
constexpr std::string_view kPartialHead =
    R"({"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":)";
constexpr std::string_view kMetaVersion = "meta.k8s.io/v1";
constexpr std::string_view kObjectMeta = "k8s.io/apimachinery/pkg/apis/meta/v1.ObjectMeta";

// ObjectMeta in Go's order; custom resources store theirs by alphabet.
int AppendMetadata(const Record& record, std::string* out) {
  if (record.shape().type != nullptr) {
    *out += record.metadata();
    return kOk;
  }
  const StructType* meta = TypeTable::Get().Find(kObjectMeta);
  if (meta == nullptr) return kBadValue;
  std::string proto;
  const int status = JsonToProto(*meta, record.metadata(), {}, &proto);
  return status != kOk ? status : ProtoToJson(*meta, proto, {}, {}, {}, out);
}

// The PartialObjectMetadata message of a record.
int PartialRaw(const Record& record, std::string* raw) {
  std::string meta;
  if (record.shape().type == nullptr) {
    const StructType* type = TypeTable::Get().Find(kObjectMeta);
    if (type == nullptr) return kBadValue;
    const int status = JsonToProto(*type, record.metadata(), {}, &meta);
    if (status != kOk) return status;
  } else {
    const Record::Proto* proto = record.proto();
    if (proto == nullptr) return kBadValue;
    meta = FirstField(proto->raw(), 1);
  }
  AppendBytesField(1, meta, raw);
  return kOk;
}

void AppendEnvelope(std::string_view kind, std::string_view api_version, std::string_view raw, std::string* out) {
  std::string head, tail;
  EnvelopeAround(raw.size(), kind, api_version, &head, &tail);
  out->append(head).append(raw).append(tail);
}

// What an empty object of the kind shows because upstream's internal type holds a plain number where
// the served one has a pointer. As emptyExtras in src/storage/cacher/bookmark.ts.
std::string_view EmptyExtras(std::string_view kind, std::string_view api_version) {
  const bool scales = kind == "Deployment" || kind == "ReplicaSet" || kind == "StatefulSet";
  return api_version == "apps/v1" && scales ? R"(,"spec":{"replicas":0})" : "";
}

// The object of a bookmark: an empty one of its type, with a revision.
void AppendBookmarkJson(const Shape& shape, const Piece& piece, bool partial, std::string* out) {
  char number[24];
  const std::string revision(Decimal(piece.revision, number));
  const std::string_view end = piece.code == kInitialEnd ? R"("annotations":{"k8s.io/initial-events-end":"true"})" : "";
  std::string meta = "{\"resourceVersion\":\"" + revision + "\"";
  if (!end.empty()) meta.append(",").append(end);
  meta += "}";
  if (partial) {
    out->append(kPartialHead).append(meta).append("}");
  } else if (shape.type == nullptr) {
    *out += R"({"apiVersion":)";
    AppendJsonString(shape.api_version, out);
    *out += R"(,"kind":)";
    AppendJsonString(shape.kind, out);
    *out += ",\"metadata\":{";
    if (!end.empty()) out->append(end).append(",");
    out->append("\"resourceVersion\":\"").append(revision).append("\"}}");
  } else {
    std::string proto;
    const std::string extras(EmptyExtras(shape.kind, shape.api_version));
    JsonToProto(*shape.type, "{\"metadata\":" + meta + extras + "}", revision, &proto);
    ProtoToJson(*shape.type, proto, shape.kind, shape.api_version, revision, out);
  }
}

void AppendObjectOf(const Shape& shape, const Piece& piece, Encoding encoding, std::string* out) {
  const bool proto = encoding == kProtobuf || encoding == kMetadataProtobuf;
  if (piece.code == kError) {
    const std::string status = ExpiredStatusJson(piece.text);
    const StructType* type = TypeTable::Get().Find("k8s.io/apimachinery/pkg/apis/meta/v1.Status");
    std::string raw;
    if (!proto || type == nullptr) { *out += status; return; }
    JsonToProto(*type, status, {}, &raw);
    AppendEnvelope("Status", "v1", raw, out);
  } else if (piece.record) {
    AppendObject(*piece.record, encoding, out);
  } else {
    const bool partial = encoding == kMetadataJson || encoding == kMetadataProtobuf;
    std::string json;
    AppendBookmarkJson(shape, piece, partial, &json);
    if (!proto) { *out += json; return; }
    std::string raw;
    if (partial) {
      std::string meta;
      const StructType* type = TypeTable::Get().Find(kObjectMeta);
      if (type != nullptr) JsonToProto(*type, Member(json, "metadata"), {}, &meta);
      AppendBytesField(1, meta, &raw);
      AppendEnvelope("PartialObjectMetadata", kMetaVersion, raw, out);
    } else if (shape.type != nullptr) {
      char number[24];
      JsonToProto(*shape.type, json, Decimal(piece.revision, number), &raw);
      AppendEnvelope(shape.kind, shape.api_version, raw, out);
    }
  }
}

}  // namespace

int AppendObject(const Record& record, Encoding encoding, std::string* out) {
  switch (encoding) {
    case kJson:
      *out += record.json();
      return kOk;
    case kProtobuf: {
      const Record::Proto* proto = record.proto();
      if (proto == nullptr) return record.shape().type == nullptr ? kNoProtobuf : kBadValue;
      *out += proto->envelope();
      return kOk;
    }
    case kMetadataJson: {
      *out += kPartialHead;
      const int status = AppendMetadata(record, out);
      *out += '}';
      return status;
    }
    case kMetadataProtobuf: {
      std::string raw;
      const int status = PartialRaw(record, &raw);
      if (status == kOk) AppendEnvelope("PartialObjectMetadata", kMetaVersion, raw, out);
      return status;
    }
  }
  return kBadValue;
}

int AppendItem(const Record& record, Encoding encoding, std::string* out) {
  if (encoding == kJson) {
    *out += '{';
    *out += record.item_tail();
    return kOk;
  }
  if (encoding == kMetadataJson) return AppendObject(record, encoding, out);
  if (encoding == kMetadataProtobuf) {
    std::string raw;
    const int status = PartialRaw(record, &raw);
    if (status == kOk) AppendBytesField(2, raw, out);
    return status;
  }
  const Record::Proto* proto = record.proto();
  if (proto == nullptr) return record.shape().type == nullptr ? kNoProtobuf : kBadValue;
  AppendBytesField(2, proto->raw(), out);
  return kOk;
}

void AppendFrame(const Shape& shape, const Piece& piece, Encoding encoding, std::string* out) {
  const std::string_view name = kNames[piece.code];
  if (encoding == kJson || encoding == kMetadataJson) {
    out->append("{\"type\":\"").append(name).append("\",\"object\":");
    AppendObjectOf(shape, piece, encoding, out);
    *out += "}\n";
    return;
  }
  std::string object;
  AppendObjectOf(shape, piece, encoding, &object);
  std::string raw_field, event;
  AppendBytesField(1, object, &raw_field);
  AppendBytesField(1, name, &event);
  AppendBytesField(2, raw_field, &event);
  const uint32_t size = static_cast<uint32_t>(event.size());
  const char length[4] = {static_cast<char>(size >> 24), static_cast<char>(size >> 16), static_cast<char>(size >> 8), static_cast<char>(size)};
  out->append(length, 4).append(event);
}

std::string ExpiredStatusJson(std::string_view message) {
  std::string out = R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":)";
  AppendJsonString(message, &out);
  out += R"(,"reason":"Expired","code":410})";
  return out;
}

}  // namespace klystron
