// The shapes of all API types, read once from types.generated.json (scripts/generate.mjs says how
// its lines are written). Process-wide and immutable after loading.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace klystron {

struct StructType;

enum class TypeKind : uint8_t {
  kString, kBool, kInt32, kInt64, kUint32, kUint64, kFloat32, kFloat64, kBytes,
  kStruct, kList, kWrappedList, kMap,
  kQuantity, kIntOrString, kTime, kMicroTime, kDuration, kRaw, kFieldsV1,
  kJson, kSchemaOrBool, kSchemaOrArray, kSchemaOrStrings,
  kNoProtobuf,
};

struct TypeNode {
  TypeKind kind = TypeKind::kNoProtobuf;
  const TypeNode* elem = nullptr;      // of lists and maps
  const StructType* type = nullptr;    // of structs and the schema kinds
};

struct Field {
  std::string json;
  std::string quoted;  // `"json":`
  const TypeNode* type = nullptr;
  uint32_t number = 0;  // 0: not in the protobuf form
  bool pointer = false;
  bool omitempty = false;
  bool omitzero = false;
  bool inlined = false;
};

// Something that defaulting would fill in where it is missing; src/native/default-rules.ts has the
// list and its grammar.
struct DefaultRule {
  enum Op : uint8_t { kPresent, kAnyField, kCovers, kHasKey };
  Op op = kPresent;
  const StructType* root = nullptr;  // only inside objects of this type; null: everywhere
  int field = -1;
  int other = -1;                    // kPresent: only where it is set; kCovers: whose keys it has
  std::vector<std::string> values;   // only where `other` is one of these; a map's key for kHasKey
};

struct StructType {
  std::string name;
  std::vector<Field> fields;          // in Go's order
  std::vector<uint16_t> by_number;    // number -> index + 1, 0 when unknown
  std::vector<uint16_t> descending;   // indexes of fields with numbers, highest first
  std::vector<uint16_t> by_name;      // open addressing: index + 1
  int revision_field = -1;            // ObjectMeta.resourceVersion
  std::vector<DefaultRule> defaults;

  int ByNumber(uint32_t number) const { return number < by_number.size() ? by_number[number] - 1 : -1; }
  int ByName(std::string_view name) const {
    const size_t mask = by_name.size() - 1;
    for (size_t at = Hash(name) & mask;; at = (at + 1) & mask) {
      if (by_name[at] == 0) return -1;
      if (fields[by_name[at] - 1u].json == name) return by_name[at] - 1;
    }
  }
  static size_t Hash(std::string_view name) {
    if (name.empty()) return 0;
    const auto c = [&](size_t i) { return static_cast<size_t>(static_cast<uint8_t>(name[i])); };
    return name.size() * 7 + c(0) * 31 + c(name.size() / 2) * 131 + c(name.size() - 1) * 17;
  }
};

class TypeTable {
 public:
  // The process's table: empty before the first Load.
  static TypeTable& Get();
  // The number of structs, or 0 when the text is not such a table. Later calls change nothing.
  // `defaults`: lines of rules; a line about what the table does not know makes it 0, too.
  size_t Load(std::string_view json, std::string_view defaults);
  const StructType* Find(std::string_view name) const;

 private:
  StructType* Declare(std::string_view name);
  const TypeNode* Node(std::string_view code);
  void Compile(StructType* type, std::string_view text);
  static void Finish(StructType* type);
  bool AddDefaults(std::string_view line);

  std::deque<StructType> structs_;
  std::deque<TypeNode> nodes_;
  std::unordered_map<std::string, StructType*> by_name_;
  std::unordered_map<std::string, const TypeNode*> node_by_code_;
};

}  // namespace klystron
