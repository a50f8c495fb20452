// Puts metadata.resourceVersion into an object's compact JSON.
#pragma once

#include <string>
#include <string_view>

namespace klystron {

// Writes `json` with the resourceVersion `revision`, in place of one that is there or where Go's
// encoder would have it: behind uid in typed objects, by alphabet in custom ones. False when
// there is no metadata object.
bool SpliceRevision(std::string_view json, std::string_view revision, bool typed, std::string* out);

}  // namespace klystron
