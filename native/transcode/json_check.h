// Validates JSON and takes the white space out of it.
#pragma once

#include <string>
#include <string_view>

namespace klystron {

// False when `json` is not one valid JSON value (UTF-8, at most 512 deep).
bool CompactJson(std::string_view json, std::string* out);
// As Go's encoder does with a MarshalJSON result: compact, with `<`, `>`, `&`, U+2028 and U+2029
// in strings escaped.
bool CompactJsonEscaped(std::string_view json, std::string* out);

}  // namespace klystron
