// JSON text as Go's encoding/json writes it.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace klystron {

inline std::string_view Decimal(uint64_t value, char (&buffer)[24]) {
  const auto result = std::to_chars(buffer, buffer + 24, value);
  return {buffer, static_cast<size_t>(result.ptr - buffer)};
}

inline bool IsPlain(uint8_t c) { return c >= 0x20 && c < 0x80 && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&'; }

// The number of characters at the start that JSON has as they are.
inline size_t PlainPrefix(const char* p, size_t size) {
  size_t i = 0;
#if defined(__SSE2__)
  for (; i + 16 <= size; i += 16) {
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + i));
    const auto is = [&](char c) { return _mm_cmpeq_epi8(v, _mm_set1_epi8(c)); };
    // Signed: also true for bytes of 0x80 and more.
    __m128i special = _mm_cmplt_epi8(v, _mm_set1_epi8(0x20));
    special = _mm_or_si128(special, _mm_or_si128(is('"'), is('\\')));
    special = _mm_or_si128(special, _mm_or_si128(is('<'), _mm_or_si128(is('>'), is('&'))));
    const int mask = _mm_movemask_epi8(special);
    if (mask != 0) return i + static_cast<size_t>(__builtin_ctz(static_cast<unsigned>(mask)));
  }
#endif
  while (i < size && IsPlain(static_cast<uint8_t>(p[i]))) i++;
  return i;
}

// Appends `text` quoted: `<`, `>`, `&`, U+2028 and U+2029 escaped, bad UTF-8 as U+FFFD.
void AppendJsonString(std::string_view text, std::string* out);
void AppendInteger(int64_t value, std::string* out);
void AppendUnsigned(uint64_t value, std::string* out);
// Shortest form; exponents where Go has them.
void AppendFloat(double value, bool single, std::string* out);
void AppendBase64(std::string_view bytes, std::string* out);
// The text of an escaped JSON string's inside.
std::string UnescapeJson(std::string_view inner);
// False when the text is not standard base64.
bool DecodeBase64(std::string_view text, std::string* out);

}  // namespace klystron
