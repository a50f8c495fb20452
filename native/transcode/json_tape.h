// Validates JSON text in one pass and notes where each value is, so that it can be walked in any
// order without copying or scanning again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace klystron {

// The deepest nesting accepted, in either direction.
inline constexpr int kMaxDepth = 512;

struct JsonNode {
  enum Type : uint8_t { kNull, kTrue, kFalse, kNumber, kString, kObject, kArray };
  Type type;
  bool escaped;   // a string with a backslash in it
  uint32_t start; // of the value's text, quotes and brackets included
  uint32_t end;
  uint32_t next;  // the node behind this value and all it holds
};

class JsonTape {
 public:
  // False when the text is not one valid JSON value in UTF-8, or too deep. Keeps a view of it.
  bool Parse(std::string_view text);

  // Whether the text has white space between its tokens.
  bool spaced() const { return spaced_; }

  // Node 0 is the root. An object's children are name, value, name, value...
  const JsonNode& at(uint32_t i) const { return nodes_[i]; }
  std::string_view Text(const JsonNode& node) const { return text_.substr(node.start, node.end - node.start); }
  // A string's content; `scratch` holds it when it has escapes.
  std::string_view String(const JsonNode& node, std::string* scratch) const;

 private:
  bool Value(int depth);
  bool StringToken();
  bool Number();
  bool Literal(std::string_view word, JsonNode::Type type);
  void Space() {
    if (p_ < text_.size() && static_cast<uint8_t>(text_[p_]) > ' ') return;
    SkipSpace();
  }
  void SkipSpace();
  uint32_t Open(JsonNode::Type type) {
    nodes_.push_back({type, false, p_, p_, 0});
    return static_cast<uint32_t>(nodes_.size() - 1);
  }
  void Close(uint32_t index) {
    nodes_[index].end = p_;
    nodes_[index].next = static_cast<uint32_t>(nodes_.size());
  }

  std::string_view text_;
  uint32_t p_ = 0;
  bool spaced_ = false;
  std::vector<JsonNode> nodes_;
};

}  // namespace klystron
