// Whether JSON from the store is what a present server would have written.
#pragma once

#include <string_view>

#include "transcode/type_table.h"

namespace klystron {

// kOk, kOtherVersion when the object names another apiVersion, or kIncomplete when defaulting would
// add something. What can not be told is kOk: other code says what is wrong with it.
int CheckJson(const StructType& type, std::string_view api_version, std::string_view json);

}  // namespace klystron
