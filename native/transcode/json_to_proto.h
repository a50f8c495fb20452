// Encodes an object's JSON as the protobuf message that Go's generated code makes of it.
#pragma once

#include <string>
#include <string_view>

#include "transcode/type_table.h"

namespace klystron {

// Appends the message, with `revision` as metadata.resourceVersion ("" for none). Unknown members
// are left out. kOk or kBadValue (then nothing is appended).
int JsonToProto(const StructType& type, std::string_view json, std::string_view revision, std::string* out);

}  // namespace klystron
