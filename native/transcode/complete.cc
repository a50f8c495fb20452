#include "transcode/complete.h"

#include <string>

#include "core/json_scan.h"
#include "core/status.h"
#include "transcode/json_to_proto.h"
#include "transcode/json_writer.h"
#include "transcode/proto_to_json.h"

namespace klystron {

// By way of protobuf: few built-in objects are stored as JSON, and one list of rules serves both.
int CheckJson(const StructType& type, std::string_view api_version, std::string_view json) {
  const std::string_view named = Member(json, "apiVersion");
  if (!named.empty()) {
    std::string quoted;
    AppendJsonString(api_version, &quoted);
    if (named != quoted) return kOtherVersion;
  }
  std::string proto, unused;
  if (JsonToProto(type, json, {}, &proto) != kOk) return kOk;
  return ProtoToJson(type, proto, {}, {}, {}, &unused, true) == kIncomplete ? kIncomplete : kOk;
}

}  // namespace klystron
