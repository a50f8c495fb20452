#include "transcode/json_writer.h"

#include <cmath>

namespace klystron {
namespace {

constexpr char kHex[] = "0123456789abcdef";

// Length of the valid UTF-8 sequence at `p`, 0 when it is not one.
size_t SequenceLength(const char* text, size_t size) {
  const uint8_t* p = reinterpret_cast<const uint8_t*>(text);
  const auto tail = [&](size_t i) { return i < size && (p[i] & 0xc0) == 0x80; };
  if (p[0] >= 0xc2 && p[0] <= 0xdf) return tail(1) ? 2 : 0;
  if (p[0] >= 0xe0 && p[0] <= 0xef) {
    if (!tail(1) || !tail(2)) return 0;
    if (p[0] == 0xe0 && p[1] < 0xa0) return 0;
    if (p[0] == 0xed && p[1] > 0x9f) return 0;
    return 3;
  }
  if (p[0] >= 0xf0 && p[0] <= 0xf4) {
    if (!tail(1) || !tail(2) || !tail(3)) return 0;
    if (p[0] == 0xf0 && p[1] < 0x90) return 0;
    if (p[0] == 0xf4 && p[1] > 0x8f) return 0;
    return 4;
  }
  return 0;
}

void AppendEscape(uint8_t c, std::string* out) {
  switch (c) {
    case '"': *out += "\\\""; return;
    case '\\': *out += "\\\\"; return;
    case '\n': *out += "\\n"; return;
    case '\r': *out += "\\r"; return;
    case '\t': *out += "\\t"; return;
    case '\b': *out += "\\b"; return;
    case '\f': *out += "\\f"; return;
  }
  const char text[] = {'\\', 'u', '0', '0', kHex[c >> 4], kHex[c & 15]};
  out->append(text, 6);
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return 0;
}
uint32_t Hex4(std::string_view text) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4 && i < text.size(); i++) value = value << 4 | static_cast<uint32_t>(HexValue(text[i]));
  return value;
}
void AppendCodePoint(uint32_t c, std::string* out) {
  const auto tail = [&](int shift) { *out += static_cast<char>(0x80 | (c >> shift & 0x3f)); };
  if (c < 0x80) { *out += static_cast<char>(c); }
  else if (c < 0x800) { *out += static_cast<char>(0xc0 | c >> 6); tail(0); }
  else if (c < 0x10000) { *out += static_cast<char>(0xe0 | c >> 12); tail(6); tail(0); }
  else { *out += static_cast<char>(0xf0 | c >> 18); tail(12); tail(6); tail(0); }
}

}  // namespace

void AppendJsonString(std::string_view text, std::string* out) {
  *out += '"';
  const char* p = text.data();
  size_t left = text.size();
  while (left > 0) {
    const size_t plain = PlainPrefix(p, left);
    out->append(p, plain);
    p += plain;
    left -= plain;
    if (left == 0) break;
    const uint8_t c = static_cast<uint8_t>(*p);
    size_t used = 1;
    if (c < 0x80) {
      AppendEscape(c, out);
    } else if ((used = SequenceLength(p, left)) == 0) {
      used = 1;
      *out += "\\ufffd";
    } else if (used == 3 && c == 0xe2 && static_cast<uint8_t>(p[1]) == 0x80 && (static_cast<uint8_t>(p[2]) & 0xfe) == 0xa8) {
      *out += static_cast<uint8_t>(p[2]) == 0xa8 ? "\\u2028" : "\\u2029";
    } else {
      out->append(p, used);
    }
    p += used;
    left -= used;
  }
  *out += '"';
}

void AppendInteger(int64_t value, std::string* out) {
  char buffer[24];
  const auto result = std::to_chars(buffer, buffer + sizeof(buffer), value);
  out->append(buffer, result.ptr);
}
void AppendUnsigned(uint64_t value, std::string* out) {
  char buffer[24];
  *out += Decimal(value, buffer);
}

void AppendFloat(double value, bool single, std::string* out) {
  if (!std::isfinite(value)) value = 0;
  const double size = std::fabs(value);
  const bool exponent = size != 0 && (single ? static_cast<float>(size) < 1e-6f || static_cast<float>(size) >= 1e21f
                                             : size < 1e-6 || size >= 1e21);
  const auto format = exponent ? std::chars_format::scientific : std::chars_format::fixed;
  char buffer[400];
  const auto result = single ? std::to_chars(buffer, buffer + 400, static_cast<float>(value), format)
                             : std::to_chars(buffer, buffer + 400, value, format);
  std::string text(buffer, result.ptr);
  // e-09 becomes e-9.
  const size_t e = text.find('e');
  if (e != std::string::npos && text.size() == e + 4 && text[e + 1] == '-' && text[e + 2] == '0') text.erase(e + 2, 1);
  *out += text;
}

void AppendBase64(std::string_view bytes, std::string* out) {
  static constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const auto at = [&](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(bytes[i])); };
  size_t i = 0;
  for (; i + 3 <= bytes.size(); i += 3) {
    const uint32_t v = at(i) << 16 | at(i + 1) << 8 | at(i + 2);
    const char text[] = {kAlphabet[v >> 18], kAlphabet[v >> 12 & 63], kAlphabet[v >> 6 & 63], kAlphabet[v & 63]};
    out->append(text, 4);
  }
  if (i == bytes.size()) return;
  const bool two = i + 1 < bytes.size();
  const uint32_t v = at(i) << 16 | (two ? at(i + 1) << 8 : 0);
  *out += kAlphabet[v >> 18];
  *out += kAlphabet[v >> 12 & 63];
  *out += two ? kAlphabet[v >> 6 & 63] : '=';
  *out += '=';
}

bool DecodeBase64(std::string_view text, std::string* out) {
  uint32_t bits = 0;
  int count = 0, padding = 0;
  size_t digits = 0;
  for (const char c : text) {
    int value = 0;
    if (c == '\n' || c == '\r') continue;
    digits++;
    if (c == '=') { padding++; continue; }
    if (padding > 0) return false;
    if (c >= 'A' && c <= 'Z') value = c - 'A';
    else if (c >= 'a' && c <= 'z') value = c - 'a' + 26;
    else if (c >= '0' && c <= '9') value = c - '0' + 52;
    else if (c == '+') value = 62;
    else if (c == '/') value = 63;
    else return false;
    bits = bits << 6 | static_cast<uint32_t>(value);
    count += 6;
    if (count >= 8) { count -= 8; *out += static_cast<char>(bits >> count); }
  }
  return digits % 4 == 0 && padding <= 2;
}

std::string UnescapeJson(std::string_view inner) {
  std::string out;
  for (size_t i = 0; i < inner.size(); i++) {
    if (inner[i] != '\\' || i + 1 == inner.size()) { out += inner[i]; continue; }
    const char c = inner[++i];
    switch (c) {
      case 'n': out += '\n'; break;
      case 'r': out += '\r'; break;
      case 't': out += '\t'; break;
      case 'b': out += '\b'; break;
      case 'f': out += '\f'; break;
      case 'u': {
        uint32_t code = Hex4(inner.substr(i + 1));
        i += 4;
        if (code >= 0xd800 && code < 0xdc00 && inner.substr(i + 1, 2) == "\\u") {
          const uint32_t low = Hex4(inner.substr(i + 3));
          if (low >= 0xdc00 && low < 0xe000) { code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00); i += 6; }
        }
        if (code >= 0xd800 && code < 0xe000) code = 0xfffd;
        AppendCodePoint(code, &out);
        break;
      }
      default: out += c;
    }
  }
  return out;
}

}  // namespace klystron
