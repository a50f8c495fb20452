#include "transcode/json_to_proto.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

#include "core/status.h"
#include "transcode/json_tape.h"
#include "transcode/json_writer.h"
#include "transcode/values.h"
#include "transcode/wire.h"

namespace klystron {
namespace {

constexpr size_t kMaxFields = 64;
constexpr int kMaxMessages = 200;

// Written from the end to the start, so that lengths are known when they are needed.
class BackBuffer {
 public:
  void Clear() { at_ = data_.size(); }
  size_t size() const { return data_.size() - at_; }
  std::string_view view() const { return {data_.data() + at_, size()}; }
  void Bytes(std::string_view bytes) {
    Room(bytes.size());
    at_ -= bytes.size();
    if (!bytes.empty()) std::memcpy(data_.data() + at_, bytes.data(), bytes.size());
  }
  void Varint(uint64_t value) {
    if (value < 0x80 && at_ > 0) {
      data_[--at_] = static_cast<char>(value);
      return;
    }
    char buffer[10];
    size_t n = 0;
    while (value >= 0x80) { buffer[n++] = static_cast<char>(value | 0x80); value >>= 7; }
    buffer[n++] = static_cast<char>(value);
    Bytes({buffer, n});
  }
  void Tag(uint32_t number, uint32_t wire) { Varint(number << 3 | wire); }
  // Closes a message, string or bytes of field `number` that began when size() was `mark`.
  void Close(size_t mark, uint32_t number) {
    Varint(size() - mark);
    Tag(number, kLengthDelimited);
  }
  void String(std::string_view text, uint32_t number) {
    Bytes(text);
    Varint(text.size());
    Tag(number, kLengthDelimited);
  }
  void Fixed(uint64_t value, size_t bytes) {
    char buffer[8];
    for (size_t i = 0; i < bytes; i++) buffer[i] = static_cast<char>(value >> (8 * i));
    Bytes({buffer, bytes});
  }

 private:
  void Room(size_t more) {
    if (at_ >= more) return;
    const size_t used = size();
    std::string larger(std::max<size_t>(2 * data_.size(), used + more + 4096), '\0');
    std::memcpy(larger.data() + larger.size() - used, data_.data() + at_, used);
    at_ = larger.size() - used;
    data_ = std::move(larger);
  }
  std::string data_;
  size_t at_ = 0;
};

class Encoder {
 public:
  Encoder(const JsonTape& tape, std::string_view revision, BackBuffer* out, std::vector<uint32_t>* stack)
      : tape_(tape), revision_(revision), out_(*out), stack_(*stack) {}

  // The fields of the message, `node` being an object, null, or kNone for an absent struct.
  bool Message(const StructType& type, uint32_t node, int depth, bool top_metadata = false) {
    if (depth > kMaxMessages || type.fields.size() > kMaxFields) return false;
    uint32_t slots[kMaxFields];
    std::fill_n(slots, type.fields.size(), kNone);
    if (node != kNone && tape_.at(node).type == JsonNode::kObject) {
      const uint32_t end = tape_.at(node).next;
      for (uint32_t i = node + 1; i < end; i = tape_.at(i + 1).next) {
        const int index = type.ByName(tape_.String(tape_.at(i), &scratch_));
        if (index >= 0) slots[index] = i + 1;
      }
    } else if (node != kNone && tape_.at(node).type != JsonNode::kNull) {
      return false;
    }
    for (const uint16_t index : type.descending) {
      const Field& field = type.fields[index];
      uint32_t value = slots[index];
      if (value != kNone && tape_.at(value).type == JsonNode::kNull && !IsRaw(field.type->kind)) value = kNone;
      if (field.inlined) {
        const size_t mark = out_.size();
        if (field.type->kind != TypeKind::kStruct) return false;
        if (!Message(*field.type->type, node, depth + 1)) return false;
        if (field.pointer && out_.size() == mark) continue;
        out_.Close(mark, field.number);
      } else if (static_cast<int>(index) == type.revision_field && top_metadata) {
        out_.String(revision_, field.number);
      } else if (!FieldValue(field, value, depth)) {
        return false;
      }
    }
    return true;
  }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  static bool IsRaw(TypeKind kind) { return kind == TypeKind::kRaw || kind == TypeKind::kJson; }

  bool FieldValue(const Field& field, uint32_t value, int depth) {
    if (value == kNone) {
      if (field.pointer) return true;
      const TypeKind kind = field.type->kind;
      if (kind == TypeKind::kList || kind == TypeKind::kMap || kind == TypeKind::kWrappedList || kind == TypeKind::kBytes) return true;
    }
    // The object's own metadata carries the revision.
    if (depth == 0 && field.number == 1 && field.json == "metadata" && field.type->kind == TypeKind::kStruct) {
      const size_t mark = out_.size();
      if (!Message(*field.type->type, value, depth + 1, true)) return false;
      out_.Close(mark, 1);
      return true;
    }
    return Value(*field.type, value, field.number, depth);
  }

  bool Value(const TypeNode& type, uint32_t value, uint32_t number, int depth) {
    const JsonNode* node = value == kNone ? nullptr : &tape_.at(value);
    if (node != nullptr && node->type == JsonNode::kNull && !IsRaw(type.kind)) { node = nullptr; value = kNone; }
    const size_t mark = out_.size();
    switch (type.kind) {
      case TypeKind::kString:
        if (node != nullptr && node->type != JsonNode::kString) return false;
        out_.String(node == nullptr ? std::string_view() : tape_.String(*node, &scratch_), number);
        return true;
      case TypeKind::kBool:
        if (node != nullptr && node->type != JsonNode::kTrue && node->type != JsonNode::kFalse) return false;
        out_.Varint(node != nullptr && node->type == JsonNode::kTrue ? 1 : 0);
        out_.Tag(number, kVarint);
        return true;
      case TypeKind::kInt32:
      case TypeKind::kInt64:
      case TypeKind::kUint32:
      case TypeKind::kUint64: {
        uint64_t integer = 0;
        if (node != nullptr && !Integer(*node, type.kind, &integer)) return false;
        out_.Varint(integer);
        out_.Tag(number, kVarint);
        return true;
      }
      case TypeKind::kFloat32:
      case TypeKind::kFloat64: {
        double real = 0;
        if (node != nullptr && !Real(*node, &real)) return false;
        const bool single = type.kind == TypeKind::kFloat32;
        if (single) out_.Fixed(std::bit_cast<uint32_t>(static_cast<float>(real)), 4);
        else out_.Fixed(std::bit_cast<uint64_t>(real), 8);
        out_.Tag(number, single ? kFixed32 : kFixed64);
        return true;
      }
      case TypeKind::kBytes: return Bytes(node, number);
      case TypeKind::kList: return List(*type.elem, value, number, depth);
      case TypeKind::kWrappedList:
        if (!List(*type.elem, value, 1, depth)) return false;
        out_.Close(mark, number);
        return true;
      case TypeKind::kMap: return Map(*type.elem, value, number, depth);
      default: break;
    }
    if (!Body(type, node, value, depth)) return false;
    out_.Close(mark, number);
    return true;
  }

  // The inside of a message-like value.
  bool Body(const TypeNode& type, const JsonNode* node, uint32_t value, int depth) {
    switch (type.kind) {
      case TypeKind::kStruct: return Message(*type.type, value, depth + 1);
      case TypeKind::kQuantity: {
        std::string text;
        if (node == nullptr) text = "0";
        else if (node->type == JsonNode::kString && IsCanonicalQuantity(tape_.String(*node, &scratch_))) text = tape_.String(*node, &scratch_);
        else if (node->type == JsonNode::kNumber) { if (!CanonicalQuantity(tape_.Text(*node), &text)) return false; }
        else if (node->type != JsonNode::kString || !CanonicalQuantity(tape_.String(*node, &scratch_), &text)) return false;
        out_.String(text, 1);
        return true;
      }
      case TypeKind::kIntOrString: return IntOrString(node);
      case TypeKind::kTime:
      case TypeKind::kMicroTime: {
        if (node == nullptr) return true;
        int64_t seconds = 0;
        int32_t nanos = 0;
        if (node->type != JsonNode::kString || !ParseTime(tape_.String(*node, &scratch_), &seconds, &nanos)) return false;
        out_.Varint(type.kind == TypeKind::kTime ? 0 : static_cast<uint64_t>(nanos / 1000 * 1000));
        out_.Tag(2, kVarint);
        out_.Varint(static_cast<uint64_t>(seconds));
        out_.Tag(1, kVarint);
        return true;
      }
      case TypeKind::kDuration: {
        int64_t nanos = 0;
        if (node != nullptr && (node->type != JsonNode::kString || !ParseDuration(tape_.String(*node, &scratch_), &nanos))) return false;
        out_.Varint(static_cast<uint64_t>(nanos));
        out_.Tag(1, kVarint);
        return true;
      }
      case TypeKind::kRaw:
      case TypeKind::kFieldsV1:
      case TypeKind::kJson:
        // Go keeps no bytes for a null RawExtension, and `null` for a JSON.
        if (node != nullptr && (type.kind == TypeKind::kJson || node->type != JsonNode::kNull)) out_.String(tape_.Text(*node), 1);
        return true;
      case TypeKind::kSchemaOrBool:
        if (node != nullptr && node->type == JsonNode::kObject) {
          const size_t mark = out_.size();
          if (!Message(*type.type, value, depth + 1)) return false;
          out_.Close(mark, 2);
          out_.Varint(1);
        } else if (node != nullptr && node->type != JsonNode::kTrue && node->type != JsonNode::kFalse) {
          return false;
        } else {
          out_.Varint(node != nullptr && node->type == JsonNode::kTrue ? 1 : 0);
        }
        out_.Tag(1, kVarint);
        return true;
      case TypeKind::kSchemaOrArray:
      case TypeKind::kSchemaOrStrings: {
        if (node == nullptr) return true;
        const size_t mark = out_.size();
        if (node->type == JsonNode::kObject) {
          if (!Message(*type.type, value, depth + 1)) return false;
          out_.Close(mark, 1);
          return true;
        }
        if (node->type != JsonNode::kArray) return false;
        static const TypeNode kStringNode{TypeKind::kString, nullptr, nullptr};
        const TypeNode schema{TypeKind::kStruct, nullptr, type.type};
        return List(type.kind == TypeKind::kSchemaOrStrings ? kStringNode : schema, value, 2, depth);
      }
      default: return false;
    }
  }

  bool Integer(const JsonNode& node, TypeKind kind, uint64_t* out) {
    if (node.type != JsonNode::kNumber) return false;
    const std::string_view text = tape_.Text(node);
    int64_t value = 0;
    auto result = std::from_chars(text.data(), text.data() + text.size(), value);
    if (result.ec != std::errc() || result.ptr != text.data() + text.size()) {
      if (kind == TypeKind::kUint64) {
        result = std::from_chars(text.data(), text.data() + text.size(), *out);
        if (result.ec == std::errc() && result.ptr == text.data() + text.size()) return true;
      }
      double real = 0;
      if (!Real(node, &real) || real != std::floor(real) || std::fabs(real) > 9e15) return false;
      value = static_cast<int64_t>(real);
    }
    if (kind == TypeKind::kInt32 && (value < INT32_MIN || value > INT32_MAX)) return false;
    if (kind == TypeKind::kUint32 && (value < 0 || value > UINT32_MAX)) return false;
    if (kind == TypeKind::kUint64 && value < 0) return false;
    *out = static_cast<uint64_t>(value);
    return true;
  }
  bool Real(const JsonNode& node, double* out) {
    if (node.type != JsonNode::kNumber) return false;
    const std::string_view text = tape_.Text(node);
    return std::from_chars(text.data(), text.data() + text.size(), *out).ec == std::errc();
  }
  bool Bytes(const JsonNode* node, uint32_t number) {
    std::string bytes;
    if (node != nullptr && (node->type != JsonNode::kString || !DecodeBase64(tape_.String(*node, &scratch_), &bytes))) return false;
    out_.String(bytes, number);
    return true;
  }
  bool IntOrString(const JsonNode* node) {
    const bool text = node != nullptr && node->type == JsonNode::kString;
    uint64_t integer = 0;
    if (node != nullptr && !text && !Integer(*node, TypeKind::kInt32, &integer)) return false;
    out_.String(text ? tape_.String(*node, &scratch_) : std::string_view(), 3);
    out_.Varint(integer);
    out_.Tag(2, kVarint);
    out_.Varint(text ? 1 : 0);
    out_.Tag(1, kVarint);
    return true;
  }
  // Positions of a container's children, values of arrays or names of objects.
  bool List(const TypeNode& elem, uint32_t value, uint32_t number, int depth) {
    if (value == kNone) return true;
    const JsonNode& node = tape_.at(value);
    if (node.type != JsonNode::kArray) return false;
    const size_t from = stack_.size();
    for (uint32_t i = value + 1; i < node.next; i = tape_.at(i).next) stack_.push_back(i);
    bool fits = true;
    while (fits && stack_.size() > from) {
      const uint32_t item = stack_.back();
      stack_.pop_back();
      fits = Value(elem, item, number, depth + 1);
    }
    stack_.resize(from);
    return fits;
  }
  bool Map(const TypeNode& elem, uint32_t value, uint32_t number, int depth) {
    if (value == kNone) return true;
    const JsonNode& node = tape_.at(value);
    if (node.type != JsonNode::kObject) return false;
    struct Plain { std::string_view key; uint32_t value; };
    // Keys without escapes, in order, are the rule: no copies then.
    std::vector<Plain> entries;
    std::vector<std::string> kept;
    bool sorted = true;
    size_t escaped = 0;
    for (uint32_t i = value + 1; i < node.next; i = tape_.at(i + 1).next) escaped += tape_.at(i).escaped ? 1 : 0;
    kept.reserve(escaped);
    for (uint32_t i = value + 1; i < node.next; i = tape_.at(i + 1).next) {
      std::string_view key = tape_.String(tape_.at(i), &scratch_);
      if (tape_.at(i).escaped) key = kept.emplace_back(key);
      if (!entries.empty() && entries.back().key >= key) sorted = false;
      entries.push_back({key, i + 1});
    }
    if (!sorted) std::stable_sort(entries.begin(), entries.end(), [](const Plain& a, const Plain& b) { return a.key < b.key; });
    for (size_t i = entries.size(); i-- > 0;) {
      // Of a name given twice the last counts.
      if (i + 1 < entries.size() && entries[i].key == entries[i + 1].key) continue;
      const size_t mark = out_.size();
      if (!Value(elem, entries[i].value, 2, depth + 1)) return false;
      out_.String(entries[i].key, 1);
      out_.Close(mark, number);
    }
    return true;
  }

  const JsonTape& tape_;
  std::string_view revision_;
  BackBuffer& out_;
  std::string scratch_;
  std::vector<uint32_t>& stack_;
};

}  // namespace

int JsonToProto(const StructType& type, std::string_view json, std::string_view revision, std::string* out) {
  static thread_local JsonTape tape;
  static thread_local BackBuffer buffer;
  if (!tape.Parse(json)) return kBadValue;
  buffer.Clear();
  static thread_local std::vector<uint32_t> stack;
  stack.clear();
  Encoder encoder(tape, revision, &buffer, &stack);
  if (!encoder.Message(type, 0, 0)) return kBadValue;
  *out += buffer.view();
  return kOk;
}

}  // namespace klystron
