#include "transcode/json_check.h"

#include "simdjson.h"
#include "transcode/json_tape.h"

namespace klystron {

bool CompactJson(std::string_view json, std::string* out) {
  static thread_local JsonTape tape;
  if (!tape.Parse(json)) return false;
  out->resize(json.size());
  size_t size = 0;
  if (simdjson::minify(json.data(), json.size(), out->data(), size) != simdjson::SUCCESS) return false;
  out->resize(size);
  return true;
}

bool CompactJsonEscaped(std::string_view json, std::string* out) {
  std::string compact;
  if (!CompactJson(json, &compact)) return false;
  for (size_t i = 0; i < compact.size(); i++) {
    const char c = compact[i];
    if (c == '<') *out += "\\u003c";
    else if (c == '>') *out += "\\u003e";
    else if (c == '&') *out += "\\u0026";
    else if (c == '\xe2' && compact.compare(i, 3, "\xe2\x80\xa8") == 0) { *out += "\\u2028"; i += 2; }
    else if (c == '\xe2' && compact.compare(i, 3, "\xe2\x80\xa9") == 0) { *out += "\\u2029"; i += 2; }
    else *out += c;
  }
  return true;
}

}  // namespace klystron
