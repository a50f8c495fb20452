// JSON text as Go's encoding/json writes it.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

namespace klystron {

inline std::string_view Decimal(uint64_t value, char (&buffer)[24]) {
  const auto result = std::to_chars(buffer, buffer + 24, value);
  return {buffer, static_cast<size_t>(result.ptr - buffer)};
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
