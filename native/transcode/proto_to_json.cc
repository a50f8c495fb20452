#include "transcode/proto_to_json.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <new>

#include "core/status.h"
#include "transcode/byte_buffer.h"
#include "transcode/json_check.h"
#include "transcode/json_tape.h"
#include "transcode/json_writer.h"
#include "transcode/slot.h"
#include "transcode/values.h"
#include "transcode/wire.h"

namespace klystron {
namespace {

// Nesting of messages; each level takes about 2 KB of stack.
constexpr int kMaxMessages = 200;
constexpr size_t kMaxFields = 64;

// Room for a message's slots of which only those in use are cleared.
union SlotRoom {
  SlotRoom() {}
  Slot slots[kMaxFields];
};

class Writer {
 public:
  // `root`: of an object that has to be complete, null for others.
  Writer(std::string_view revision, const StructType* root, ByteBuffer* out)
      : revision_(revision), root_(root), out_(*out) {}
  bool incomplete() const { return incomplete_; }

  bool Object(const StructType& type, std::string_view message, std::string_view kind, std::string_view api_version, int depth) {
    out_ += '{';
    bool comma = false;
    if (!kind.empty()) {
      out_ += "\"kind\":";
      String(kind);
      out_ += ",\"apiVersion\":";
      String(api_version);
      comma = true;
    }
    if (!Members(type, message, &comma, depth)) return false;
    out_ += '}';
    return true;
  }

 private:
  // For what writes to a std::string: Scratch is empty, Flush takes it over.
  std::string* Scratch() {
    scratch_.clear();
    return &scratch_;
  }
  void Flush() { out_ += scratch_; }
  void String(std::string_view text) {
    if (PlainPrefix(text.data(), text.size()) < text.size()) {
      AppendJsonString(text, Scratch());
      Flush();
      return;
    }
    char* p = out_.Room(text.size() + 2);
    *p = '"';
    if (!text.empty()) std::memcpy(p + 1, text.data(), text.size());
    p[text.size() + 1] = '"';
    out_.Advance(text.size() + 2);
  }
  void Integer(int64_t value) {
    char* p = out_.Room(24);
    out_.Advance(static_cast<size_t>(std::to_chars(p, p + 24, value).ptr - p));
  }

  bool Scan(const StructType& type, std::string_view message, Slot* slots) {
    WireReader reader(message);
    const char* end = message.data() + message.size();
    while (!reader.AtEnd()) {
      const char* at = reinterpret_cast<const char*>(reader.at());
      uint32_t number = 0, wire = 0;
      if (!reader.Tag(&number, &wire)) return false;
      const int index = type.ByNumber(number);
      if (index < 0) {
        if (!reader.Skip(wire)) return false;
        continue;
      }
      Slot& slot = slots[index];
      if (!ReadValue(&reader, wire, &slot)) return false;
      if (slot.count++ == 0) { slot.first = at; slot.end = end; }
    }
    return true;
  }

  bool Members(const StructType& type, std::string_view message, bool* comma, int depth) {
    if (depth > kMaxMessages || type.fields.size() > kMaxFields) return false;
    SlotRoom room;
    Slot* slots = room.slots;
    for (size_t i = 0; i < type.fields.size(); i++) new (&slots[i]) Slot();
    if (!Scan(type, message, slots)) return false;
    if (root_ != nullptr && !type.defaults.empty() && !IsComplete(type, slots, depth)) {
      incomplete_ = true;
      return false;
    }
    for (size_t i = 0; i < type.fields.size(); i++) {
      const Field& field = type.fields[i];
      Slot& slot = slots[i];
      if (field.inlined) {
        if (field.type->kind != TypeKind::kStruct || field.number == 0) continue;
        if (slot.count > 0 && slot.wire != kLengthDelimited) return false;
        if (field.pointer && slot.count == 0) continue;
        if (!Members(*field.type->type, slot.bytes(), comma, depth + 1)) return false;
        continue;
      }
      // Only of the object's own metadata: templates nested in it have theirs deeper.
      const bool revised = depth == 1 && static_cast<int>(i) == type.revision_field && !revision_.empty();
      if (!revised && Omitted(field, slot, depth)) continue;
      if (*comma) out_ += ',';
      *comma = true;
      out_ += field.quoted;
      if (revised) String(revision_);
      else if (slot.count == 0 && field.pointer) out_ += "null";
      else if (!Value(*field.type, slot, field.number, depth)) return false;
    }
    return true;
  }

  /// Text, bytes, numbers and booleans; false for every other kind.
  static bool IsZeroScalar(TypeKind kind, const Slot& slot) {
    switch (kind) {
      case TypeKind::kString:
      case TypeKind::kBytes: return slot.bytes().empty();
      case TypeKind::kBool:
      case TypeKind::kInt32:
      case TypeKind::kInt64:
      case TypeKind::kUint32:
      case TypeKind::kUint64:
      case TypeKind::kFloat32:
      case TypeKind::kFloat64: return slot.value() == 0;
      default: return false;
    }
  }
  static bool IsZero(const TypeNode& type, const Slot& slot, int depth) {
    if (slot.count == 0) return true;
    switch (type.kind) {
      case TypeKind::kTime:
      case TypeKind::kMicroTime: return slot.bytes().empty();
      case TypeKind::kStruct: return IsZeroStruct(*type.type, slot.bytes(), depth + 1);
      default: return IsZeroScalar(type.kind, slot);
    }
  }
  static bool IsZeroStruct(const StructType& type, std::string_view message, int depth) {
    if (depth > kMaxMessages) return false;
    WireReader reader(message);
    while (!reader.AtEnd()) {
      uint32_t number = 0, wire = 0;
      Slot slot;
      if (!reader.Tag(&number, &wire) || !ReadValue(&reader, wire, &slot)) return false;
      slot.count = 1;
      const int index = type.ByNumber(number);
      if (index < 0) continue;
      const Field& field = type.fields[static_cast<size_t>(index)];
      if (field.pointer || !IsZero(*field.type, slot, depth)) return false;
    }
    return true;
  }
  static bool Omitted(const Field& field, const Slot& slot, int depth) {
    if (field.number == 0) return true;
    if (slot.count == 0 && (field.omitempty || field.omitzero) && field.pointer) return true;
    if (field.omitzero && !field.pointer && IsZero(*field.type, slot, depth)) return true;
    if (!field.omitempty || field.pointer) return false;
    switch (field.type->kind) {
      case TypeKind::kList:
      case TypeKind::kMap: return slot.count == 0;
      case TypeKind::kWrappedList: return slot.count == 0 || slot.bytes().empty();
      default: return IsZeroScalar(field.type->kind, slot);
    }
  }

  static bool IsSet(const Field& field, const Slot& slot, int depth) {
    if (field.pointer) return slot.count > 0;
    if (field.type->kind != TypeKind::kIntOrString) return !IsZero(*field.type, slot, depth);
    Slot parts[4];
    return slot.count > 0 && Small(slot.bytes(), parts) && (parts[2].value() != 0 || parts[3].size > 0);
  }
  bool IsComplete(const StructType& type, const Slot* slots, int depth) {
    for (const DefaultRule& rule : type.defaults) {
      if (rule.root != nullptr && rule.root != root_) continue;
      if (!Keeps(rule, type, slots, depth)) return false;
    }
    return true;
  }
  bool Keeps(const DefaultRule& rule, const StructType& type, const Slot* slots, int depth) {
    const auto slot = [&](int i) -> const Slot& { return slots[static_cast<size_t>(i)]; };
    const auto field = [&](int i) -> const Field& { return type.fields[static_cast<size_t>(i)]; };
    switch (rule.op) {
      case DefaultRule::kAnyField:
        for (size_t i = 0; i < type.fields.size(); i++) if (slots[i].count > 0) return true;
        return false;
      case DefaultRule::kCovers: return Covers(slot(rule.field), field(rule.field).number, slot(rule.other), field(rule.other).number);
      case DefaultRule::kHasKey: return HasKey(slot(rule.field), field(rule.field).number, rule.values[0]);
      case DefaultRule::kPresent: break;
    }
    if (IsSet(field(rule.field), slot(rule.field), depth)) return true;
    if (rule.other < 0) return false;
    if (!IsSet(field(rule.other), slot(rule.other), depth)) return true;
    const auto& values = rule.values;
    return !values.empty() && std::find(values.begin(), values.end(), slot(rule.other).bytes()) == values.end();
  }
  bool Covers(const Slot& slot, uint32_t number, const Slot& other, uint32_t other_number) {
    if (slot.count < other.count) return false;
    bool covers = true;
    Occurrences(other, other_number, TypeKind::kStruct, [&](const Slot& one) {
      std::string_view key;
      if (OneString(one.bytes(), &key) && !HasKey(slot, number, key)) covers = false;
      return covers;
    });
    return covers;
  }
  bool HasKey(const Slot& slot, uint32_t number, std::string_view key) {
    bool found = false;
    Occurrences(slot, number, TypeKind::kStruct, [&](const Slot& one) {
      std::string_view text;
      if (OneString(one.bytes(), &text) && text == key) found = true;
      return true;
    });
    return found;
  }

  bool Value(const TypeNode& type, const Slot& slot, uint32_t number, int depth) {
    switch (type.kind) {
      case TypeKind::kList: return List(*type.elem, slot, number, depth);
      case TypeKind::kMap: return Map(*type.elem, slot, number, depth);
      default: break;
    }
    if (slot.count > 0 && !WireFits(type.kind, slot.wire)) return false;
    switch (type.kind) {
      case TypeKind::kString: String(slot.bytes()); return true;
      case TypeKind::kBool: out_ += slot.value() != 0 ? "true" : "false"; return true;
      case TypeKind::kInt32: Integer(static_cast<int32_t>(slot.value())); return true;
      case TypeKind::kInt64: Integer(static_cast<int64_t>(slot.value())); return true;
      case TypeKind::kUint32: AppendUnsigned(static_cast<uint32_t>(slot.value()), Scratch()); Flush(); return true;
      case TypeKind::kUint64: AppendUnsigned(slot.value(), Scratch()); Flush(); return true;
      case TypeKind::kFloat32: AppendFloat(std::bit_cast<float>(static_cast<uint32_t>(slot.value())), true, Scratch()); Flush(); return true;
      case TypeKind::kFloat64: AppendFloat(std::bit_cast<double>(slot.value()), false, Scratch()); Flush(); return true;
      case TypeKind::kBytes: return Bytes(slot);
      case TypeKind::kStruct: return Object(*type.type, slot.bytes(), {}, {}, depth + 1);
      case TypeKind::kWrappedList: return Wrapped(*type.elem, slot, depth);
      case TypeKind::kQuantity: return QuantityValue(slot.bytes());
      case TypeKind::kIntOrString: return IntOrString(slot.bytes());
      case TypeKind::kTime: return Time(slot.bytes(), false);
      case TypeKind::kMicroTime: return Time(slot.bytes(), true);
      case TypeKind::kDuration: return Duration(slot.bytes());
      case TypeKind::kRaw:
      case TypeKind::kFieldsV1:
      case TypeKind::kJson: return Raw(slot.bytes());
      case TypeKind::kSchemaOrBool:
      case TypeKind::kSchemaOrArray:
      case TypeKind::kSchemaOrStrings: return Schema(type, slot.bytes(), depth);
      default: return false;
    }
  }
  static bool WireFits(TypeKind kind, uint32_t wire) {
    switch (kind) {
      case TypeKind::kBool:
      case TypeKind::kInt32:
      case TypeKind::kInt64:
      case TypeKind::kUint32:
      case TypeKind::kUint64: return wire == kVarint;
      case TypeKind::kFloat32: return wire == kFixed32;
      case TypeKind::kFloat64: return wire == kFixed64;
      default: return wire == kLengthDelimited;
    }
  }

  bool Bytes(const Slot& slot) {
    if (slot.count == 0) { out_ += "null"; return true; }
    out_ += '"';
    AppendBase64(slot.bytes(), Scratch()); Flush();
    out_ += '"';
    return true;
  }

  // Calls each(slot) for every occurrence of field `number`, unpacking packed scalars.
  template <class Each>
  bool Occurrences(const Slot& slot, uint32_t number, TypeKind kind, Each each) {
    if (slot.count == 0) return true;
    WireReader reader(std::string_view(slot.first, static_cast<size_t>(slot.end - slot.first)));
    for (uint32_t seen = 0; seen < slot.count;) {
      uint32_t found = 0, wire = 0;
      if (!reader.Tag(&found, &wire)) return false;
      Slot one;
      if (!ReadValue(&reader, wire, &one)) return false;
      if (found != number) continue;
      seen++;
      one.count = 1;
      if (wire != kLengthDelimited || WireFits(kind, kLengthDelimited)) {
        if (!each(one)) return false;
        continue;
      }
      WireReader packed(one.bytes());
      const uint32_t inner = WireFits(kind, kVarint) ? kVarint : WireFits(kind, kFixed32) ? kFixed32 : kFixed64;
      while (!packed.AtEnd()) {
        Slot item;
        item.count = 1;
        if (!ReadValue(&packed, inner, &item) || !each(item)) return false;
      }
    }
    return true;
  }

  bool List(const TypeNode& elem, const Slot& slot, uint32_t number, int depth) {
    if (slot.count == 0) { out_ += "null"; return true; }
    out_ += '[';
    bool comma = false;
    const bool fits = Occurrences(slot, number, elem.kind, [&](const Slot& one) {
      if (comma) out_ += ',';
      comma = true;
      return Value(elem, one, 0, depth + 1);
    });
    out_ += ']';
    return fits;
  }
  bool Wrapped(const TypeNode& elem, const Slot& slot, int depth) {
    WireReader reader(slot.bytes());
    bool comma = false;
    if (slot.count == 0) { out_ += "null"; return true; }
    out_ += '[';
    while (!reader.AtEnd()) {
      uint32_t number = 0, wire = 0;
      Slot one;
      if (!reader.Tag(&number, &wire) || !ReadValue(&reader, wire, &one)) return false;
      if (number != 1) continue;
      one.count = 1;
      if (comma) out_ += ',';
      comma = true;
      if (!Value(elem, one, 1, depth + 1)) return false;
    }
    out_ += ']';
    return true;
  }
  bool Map(const TypeNode& elem, const Slot& slot, uint32_t number, int depth) {
    if (slot.count == 0) { out_ += "null"; return true; }
    struct Entry { std::string_view key; Slot value; uint32_t order; };
    union Room { Room() {} Entry entries[16]; } few;
    std::vector<Entry> many;
    Entry* entries = few.entries;
    if (slot.count > 16) {
      many.resize(slot.count);
      entries = many.data();
    } else {
      for (uint32_t i = 0; i < slot.count; i++) new (&entries[i]) Entry();
    }
    uint32_t count = 0;
    bool sorted = true;
    const bool fits = Occurrences(slot, number, TypeKind::kStruct, [&](const Slot& one) {
      if (one.wire != kLengthDelimited) return false;
      Entry& entry = entries[count];
      entry.order = count++;
      WireReader reader(one.bytes());
      while (!reader.AtEnd()) {
        uint32_t field = 0, wire = 0;
        Slot part;
        if (!reader.Tag(&field, &wire) || !ReadValue(&reader, wire, &part)) return false;
        part.count = 1;
        if (field == 1 && wire != kLengthDelimited) return false;
        if (field == 1) entry.key = part.bytes();
        // A map's list value would repeat the field; none of the API's types has one.
        if (field == 2) { entry.value = part; }
      }
      if (count > 1 && entries[count - 2].key >= entry.key) sorted = false;
      return true;
    });
    if (!fits) return false;
    if (!sorted) {
      std::sort(entries, entries + count, [](const Entry& a, const Entry& b) {
        return a.key != b.key ? a.key < b.key : a.order < b.order;
      });
    }
    out_ += '{';
    bool comma = false;
    for (uint32_t i = 0; i < count; i++) {
      if (i + 1 < count && entries[i + 1].key == entries[i].key) continue;
      if (comma) out_ += ',';
      comma = true;
      String(entries[i].key);
      out_ += ':';
      if (elem.kind == TypeKind::kBytes) entries[i].value.count = 1;
      if (!Value(elem, entries[i].value, 2, depth + 1)) return false;
    }
    out_ += '}';
    return true;
  }

  bool QuantityValue(std::string_view message) {
    std::string_view text;
    if (!OneString(message, &text)) return false;
    out_ += '"';
    if (text.empty()) out_ += '0';
    else if (IsCanonicalQuantity(text)) out_ += text;
    else if (CanonicalQuantity(text, Scratch())) Flush();
    else return false;
    out_ += '"';
    return true;
  }
  // Field 1, a string, of a message.
  static bool OneString(std::string_view message, std::string_view* out) {
    WireReader reader(message);
    while (!reader.AtEnd()) {
      uint32_t number = 0, wire = 0;
      Slot slot;
      if (!reader.Tag(&number, &wire) || !ReadValue(&reader, wire, &slot)) return false;
      if (number != 1) continue;
      if (wire != kLengthDelimited) return false;
      *out = slot.bytes();
    }
    return true;
  }
  // Fields 1 to 3 of a small message by wire type; others are skipped.
  static bool Small(std::string_view message, Slot (&slots)[4]) {
    WireReader reader(message);
    while (!reader.AtEnd()) {
      uint32_t number = 0, wire = 0;
      Slot slot;
      if (!reader.Tag(&number, &wire) || !ReadValue(&reader, wire, &slot)) return false;
      if (number > 3) continue;
      slot.count = 1;
      slots[number] = slot;
    }
    return true;
  }
  static bool IsVarint(const Slot& slot) { return slot.count == 0 || slot.wire == kVarint; }
  bool IntOrString(std::string_view message) {
    Slot slots[4];
    if (!Small(message, slots) || !IsVarint(slots[1]) || !IsVarint(slots[2])) return false;
    if (slots[3].count > 0 && slots[3].wire != kLengthDelimited) return false;
    if (slots[1].value() == 1) String(slots[3].bytes());
    else if (slots[1].value() == 0) Integer(static_cast<int32_t>(slots[2].value()));
    else return false;
    return true;
  }
  bool Time(std::string_view message, bool micro) {
    if (message.empty()) { out_ += "null"; return true; }
    Slot slots[4];
    if (!Small(message, slots) || !IsVarint(slots[1]) || !IsVarint(slots[2])) return false;
    const int64_t seconds = static_cast<int64_t>(slots[1].value());
    const int64_t nanos = static_cast<int64_t>(slots[2].value());
    // 0001-01-01 to 9999-12-31, as RFC 3339 can say.
    constexpr int64_t kZero = -62135596800, kLast = 253402300799;
    if (seconds < kZero || seconds > kLast || nanos < 0 || nanos > 999'999'999) return false;
    if (seconds == kZero && nanos == 0) { out_ += "null"; return true; }
    out_ += '"';
    AppendTime(seconds, static_cast<int32_t>(nanos), micro, Scratch()); Flush();
    out_ += '"';
    return true;
  }
  bool Duration(std::string_view message) {
    Slot slots[4];
    if (!Small(message, slots) || !IsVarint(slots[1])) return false;
    out_ += '"';
    AppendDuration(static_cast<int64_t>(slots[1].value()), Scratch()); Flush();
    out_ += '"';
    return true;
  }
  bool Raw(std::string_view message) {
    std::string_view text;
    if (!OneString(message, &text)) return false;
    if (text.empty()) { out_ += "null"; return true; }
    if (!CompactJsonEscaped(text, Scratch())) return false;
    Flush();
    return true;
  }
  bool Schema(const TypeNode& type, std::string_view message, int depth) {
    Slot slots[4];
    if (!Small(message, slots)) return false;
    const bool or_bool = type.kind == TypeKind::kSchemaOrBool;
    const Slot& schema = slots[or_bool ? 2 : 1];
    if (schema.count > 0 && schema.wire != kLengthDelimited) return false;
    if (or_bool) {
      if (!IsVarint(slots[1])) return false;
      if (schema.count > 0) return Object(*type.type, schema.bytes(), {}, {}, depth + 1);
      out_ += slots[1].value() != 0 ? "true" : "false";
      return true;
    }
    if (slots[2].count == 0) {
      if (schema.count > 0) return Object(*type.type, schema.bytes(), {}, {}, depth + 1);
      out_ += "null";
      return true;
    }
    out_ += '[';
    bool comma = false;
    WireReader reader(message);
    while (!reader.AtEnd()) {
      uint32_t number = 0, wire = 0;
      Slot slot;
      if (!reader.Tag(&number, &wire) || !ReadValue(&reader, wire, &slot)) return false;
      if (number != 2) continue;
      if (wire != kLengthDelimited) return false;
      if (comma) out_ += ',';
      comma = true;
      if (type.kind == TypeKind::kSchemaOrStrings) String(slot.bytes());
      else if (!Object(*type.type, slot.bytes(), {}, {}, depth + 1)) return false;
    }
    out_ += ']';
    return true;
  }

  std::string_view revision_;
  const StructType* root_;
  ByteBuffer& out_;
  std::string scratch_;
  bool incomplete_ = false;
};

}  // namespace

int ProtoToJson(const StructType& type, std::string_view message, std::string_view kind,
                std::string_view api_version, std::string_view revision, std::string* out,
                bool complete) {
  static thread_local ByteBuffer buffer;
  buffer.clear();
  Writer writer(revision, complete ? &type : nullptr, &buffer);
  if (!writer.Object(type, message, kind, api_version, 0)) {
    return writer.incomplete() ? kIncomplete : kBadValue;
  }
  *out += buffer.view();
  return kOk;
}

}  // namespace klystron
