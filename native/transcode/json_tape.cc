#include "transcode/json_tape.h"

#include "simdjson.h"
#include "transcode/json_writer.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace klystron {
namespace {

// The next quote, backslash or control character at or behind `i`.
size_t StringStop(std::string_view text, size_t i) {
#if defined(__SSE2__)
  for (; i + 16 <= text.size(); i += 16) {
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + i));
    __m128i stop = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
    stop = _mm_or_si128(stop, _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v));
    const int mask = _mm_movemask_epi8(stop);
    if (mask != 0) return i + static_cast<size_t>(__builtin_ctz(static_cast<unsigned>(mask)));
  }
#endif
  while (i < text.size() && text[i] != '"' && text[i] != '\\' && static_cast<uint8_t>(text[i]) >= 0x20) i++;
  return i;
}

bool IsHex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

}  // namespace

bool JsonTape::Parse(std::string_view text) {
  nodes_.clear();
  text_ = text;
  p_ = 0;
  spaced_ = false;
  nodes_.reserve(text.size() / 8 + 16);
  if (text.size() > 0x7fffffff || !simdjson::validate_utf8(text.data(), text.size())) return false;
  if (!Value(0)) return false;
  Space();
  return p_ == text_.size();
}

void JsonTape::SkipSpace() {
  while (p_ < text_.size() && (text_[p_] == ' ' || text_[p_] == '\n' || text_[p_] == '\t' || text_[p_] == '\r')) {
    p_++;
    spaced_ = true;
  }
}

bool JsonTape::Literal(std::string_view word, JsonNode::Type type) {
  if (text_.substr(p_, word.size()) != word) return false;
  const uint32_t index = Open(type);
  p_ += static_cast<uint32_t>(word.size());
  Close(index);
  return true;
}

bool JsonTape::StringToken() {
  const uint32_t index = Open(JsonNode::kString);
  p_++;
  for (;;) {
    p_ = static_cast<uint32_t>(StringStop(text_, p_));
    if (p_ >= text_.size()) return false;
    if (text_[p_] == '"') break;
    if (text_[p_] != '\\' || p_ + 1 >= text_.size()) return false;
    nodes_[index].escaped = true;
    const char c = text_[p_ + 1];
    if (c == 'u') {
      if (p_ + 6 > text_.size()) return false;
      for (uint32_t i = p_ + 2; i < p_ + 6; i++) if (!IsHex(text_[i])) return false;
      p_ += 6;
    } else if (std::string_view("\"\\/bfnrt").find(c) != std::string_view::npos) {
      p_ += 2;
    } else {
      return false;
    }
  }
  p_++;
  Close(index);
  return true;
}

bool JsonTape::Number() {
  const uint32_t index = Open(JsonNode::kNumber);
  const auto digits = [&] {
    const uint32_t from = p_;
    while (p_ < text_.size() && text_[p_] >= '0' && text_[p_] <= '9') p_++;
    return p_ - from;
  };
  if (text_[p_] == '-') p_++;
  const bool zero = p_ < text_.size() && text_[p_] == '0';
  const uint32_t count = digits();
  if (count == 0 || (zero && count > 1)) return false;
  if (p_ < text_.size() && text_[p_] == '.') {
    p_++;
    if (digits() == 0) return false;
  }
  if (p_ < text_.size() && (text_[p_] == 'e' || text_[p_] == 'E')) {
    p_++;
    if (p_ < text_.size() && (text_[p_] == '+' || text_[p_] == '-')) p_++;
    if (digits() == 0) return false;
  }
  Close(index);
  return true;
}

bool JsonTape::Value(int depth) {
  Space();
  if (p_ >= text_.size() || depth > kMaxDepth) return false;
  const char c = text_[p_];
  if (c == '"') return StringToken();
  if (c == 't') return Literal("true", JsonNode::kTrue);
  if (c == 'f') return Literal("false", JsonNode::kFalse);
  if (c == 'n') return Literal("null", JsonNode::kNull);
  if (c != '{' && c != '[') return (c == '-' || (c >= '0' && c <= '9')) && Number();
  const bool object = c == '{';
  const char close = object ? '}' : ']';
  const uint32_t index = Open(object ? JsonNode::kObject : JsonNode::kArray);
  p_++;
  Space();
  if (p_ < text_.size() && text_[p_] == close) {
    p_++;
    Close(index);
    return true;
  }
  for (;;) {
    if (object) {
      Space();
      if (p_ >= text_.size() || text_[p_] != '"' || !StringToken()) return false;
      Space();
      if (p_ >= text_.size() || text_[p_++] != ':') return false;
    }
    if (!Value(depth + 1)) return false;
    Space();
    if (p_ >= text_.size()) return false;
    const char after = text_[p_++];
    if (after == close) break;
    if (after != ',') return false;
  }
  Close(index);
  return true;
}

std::string_view JsonTape::String(const JsonNode& node, std::string* scratch) const {
  const std::string_view inner = text_.substr(node.start + 1, node.end - node.start - 2);
  if (!node.escaped) return inner;
  *scratch = UnescapeJson(inner);
  return *scratch;
}

}  // namespace klystron
