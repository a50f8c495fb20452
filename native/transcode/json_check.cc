#include "transcode/json_check.h"

#include "simdjson.h"
#include "transcode/json_tape.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace klystron {

namespace {

// Appends `text` without its white space.
bool AppendMinified(std::string_view text, std::string* out) {
  const size_t start = out->size();
  out->resize(start + text.size());
  size_t size = 0;
  if (simdjson::minify(text.data(), text.size(), out->data() + start, size) != simdjson::SUCCESS) return false;
  out->resize(start + size);
  return true;
}

// The next character that Go escapes, or what may start one.
size_t EscapeStop(std::string_view text, size_t i) {
#if defined(__SSE2__)
  for (; i + 16 <= text.size(); i += 16) {
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + i));
    const auto is = [&](char c) { return _mm_cmpeq_epi8(v, _mm_set1_epi8(c)); };
    const __m128i stop = _mm_or_si128(_mm_or_si128(is('<'), is('>')), _mm_or_si128(is('&'), is('\xe2')));
    const int mask = _mm_movemask_epi8(stop);
    if (mask != 0) return i + static_cast<size_t>(__builtin_ctz(static_cast<unsigned>(mask)));
  }
#endif
  while (i < text.size() && text[i] != '<' && text[i] != '>' && text[i] != '&' && text[i] != '\xe2') i++;
  return i;
}

}  // namespace

bool CompactJson(std::string_view json, std::string* out) {
  static thread_local JsonTape tape;
  if (!tape.Parse(json)) return false;
  if (tape.spaced()) return AppendMinified(json, out);
  *out += json;
  return true;
}

bool CompactJsonEscaped(std::string_view json, std::string* out) {
  static thread_local JsonTape tape;
  if (!tape.Parse(json)) return false;
  std::string minified;
  if (tape.spaced()) {
    if (!AppendMinified(json, &minified)) return false;
    json = minified;
  }
  for (size_t i = 0; i < json.size();) {
    const size_t stop = EscapeStop(json, i);
    *out += json.substr(i, stop - i);
    i = stop;
    if (i == json.size()) break;
    size_t used = 1;
    switch (json[i]) {
      case '<': *out += "\\u003c"; break;
      case '>': *out += "\\u003e"; break;
      case '&': *out += "\\u0026"; break;
      default:
        used = 3;
        if (json.substr(i, 3) == "\xe2\x80\xa8") *out += "\\u2028";
        else if (json.substr(i, 3) == "\xe2\x80\xa9") *out += "\\u2029";
        else *out += json.substr(i, 3);
    }
    i += used;
  }
  return true;
}

}  // namespace klystron
