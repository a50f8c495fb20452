// Writes a protobuf message as the JSON that Go's encoder makes of the same object.
#pragma once

#include <string>
#include <string_view>

#include "transcode/type_table.h"

namespace klystron {

// Appends the object: kind and apiVersion first unless `kind` is empty, and, unless empty,
// `revision` as metadata.resourceVersion. kOk or kBadValue (then nothing is appended); with
// `complete` also kIncomplete, where defaulting would add something.
int ProtoToJson(const StructType& type, std::string_view message, std::string_view kind,
                std::string_view api_version, std::string_view revision, std::string* out,
                bool complete = false);

}  // namespace klystron
