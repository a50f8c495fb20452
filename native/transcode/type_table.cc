#include "transcode/type_table.h"

#include <algorithm>
#include <mutex>

#include "transcode/json_tape.h"

namespace klystron {
namespace {

std::mutex g_load_lock;

const std::pair<std::string_view, TypeKind> kScalars[] = {
    {"s", TypeKind::kString}, {"b", TypeKind::kBool}, {"i32", TypeKind::kInt32}, {"i64", TypeKind::kInt64},
    {"u32", TypeKind::kUint32}, {"u64", TypeKind::kUint64}, {"f32", TypeKind::kFloat32}, {"f64", TypeKind::kFloat64},
    {"y", TypeKind::kBytes}, {"q", TypeKind::kQuantity}, {"ios", TypeKind::kIntOrString}, {"t", TypeKind::kTime},
    {"mt", TypeKind::kMicroTime}, {"d", TypeKind::kDuration}, {"raw", TypeKind::kRaw}, {"fv1", TypeKind::kFieldsV1},
};

bool EndsWith(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

// The part up to the separator, which is taken off `text`.
std::string_view Next(std::string_view* text, char separator) {
  const size_t at = text->find(separator);
  const std::string_view part = text->substr(0, at);
  *text = at == std::string_view::npos ? std::string_view() : text->substr(at + 1);
  return part;
}

}  // namespace

TypeTable& TypeTable::Get() {
  static TypeTable* table = new TypeTable();
  return *table;
}

StructType* TypeTable::Declare(std::string_view name) {
  StructType*& type = by_name_[std::string(name)];
  if (type == nullptr) {
    type = &structs_.emplace_back();
    type->name = name;
    type->by_name.assign(2, 0);
  }
  return type;
}

const TypeNode* TypeTable::Node(std::string_view code) {
  if (!code.empty() && code[0] == '<') code.remove_prefix(std::min(code.find('>') + 1, code.size()));
  const TypeNode*& known = node_by_code_[std::string(code)];
  if (known != nullptr) return known;
  TypeNode* node = &nodes_.emplace_back();
  known = node;
  const auto container = [&](TypeKind kind, size_t skip) {
    node->kind = kind;
    node->elem = Node(code.substr(skip));
    if (node->elem->kind == TypeKind::kNoProtobuf) node->kind = TypeKind::kNoProtobuf;
  };
  if (code.substr(0, 3) == "[]*") container(TypeKind::kList, 3);
  else if (code.substr(0, 2) == "[]") container(TypeKind::kList, 2);
  else if (code.substr(0, 3) == "[w]") container(TypeKind::kWrappedList, 3);
  else if (code.substr(0, 1) == "{") container(TypeKind::kMap, code.find('}') + 1);
  else if (code.substr(0, 1) == "@") { node->kind = TypeKind::kStruct; node->type = Declare(code.substr(1)); }
  else if (code.substr(0, 2) == "s:") node->kind = TypeKind::kString;
  else if (code.substr(0, 5) == "json:") {
    const std::string_view name = code.substr(5);
    const std::string schema = std::string(name.substr(0, name.rfind('.') + 1)) + "JSONSchemaProps";
    if (EndsWith(name, ".JSON")) node->kind = TypeKind::kJson;
    else if (EndsWith(name, "OrBool")) node->kind = TypeKind::kSchemaOrBool;
    else if (EndsWith(name, "OrStringArray")) node->kind = TypeKind::kSchemaOrStrings;
    else if (EndsWith(name, "OrArray")) node->kind = TypeKind::kSchemaOrArray;
    if (node->kind != TypeKind::kJson && node->kind != TypeKind::kNoProtobuf) node->type = Declare(schema);
  } else {
    for (const auto& [text, kind] : kScalars) if (text == code) node->kind = kind;
  }
  return node;
}

void TypeTable::Compile(StructType* type, std::string_view text) {
  Next(&text, '\n');  // OpenAPI name and kinds
  while (!text.empty()) {
    std::string_view line = Next(&text, '\n');
    Field field;
    field.json = Next(&line, '|');
    Next(&line, '|');
    field.type = Node(Next(&line, '|'));
    const std::string_view flags = Next(&line, '|');
    field.pointer = flags.find('p') != std::string_view::npos;
    field.omitempty = flags.find('e') != std::string_view::npos;
    field.omitzero = flags.find('z') != std::string_view::npos;
    field.inlined = flags.find('i') != std::string_view::npos;
    for (const char c : Next(&line, '|')) field.number = field.number * 10 + static_cast<uint32_t>(c - '0');
    if (field.type->kind == TypeKind::kNoProtobuf) field.number = 0;
    field.quoted = "\"" + field.json + "\":";
    type->fields.push_back(std::move(field));
  }
  Finish(type);
}

void TypeTable::Finish(StructType* type) {
  const size_t count = type->fields.size();
  size_t size = 2;
  while (size < 2 * count + 1) size *= 2;
  type->by_name.assign(size, 0);
  for (size_t i = 0; i < count; i++) {
    const Field& field = type->fields[i];
    const uint16_t mark = static_cast<uint16_t>(i + 1);
    if (field.number > 0) {
      if (field.number >= type->by_number.size()) type->by_number.resize(field.number + 1, 0);
      type->by_number[field.number] = mark;
      type->descending.push_back(static_cast<uint16_t>(i));
    }
    if (field.inlined) continue;
    size_t at = StructType::Hash(field.json) & (size - 1);
    while (type->by_name[at] != 0) at = (at + 1) & (size - 1);
    type->by_name[at] = mark;
    if (field.json == "resourceVersion" && EndsWith(type->name, "meta/v1.ObjectMeta")) type->revision_field = static_cast<int>(i);
  }
  std::sort(type->descending.begin(), type->descending.end(), [&](uint16_t a, uint16_t b) {
    return type->fields[a].number > type->fields[b].number;
  });
}

// `Struct rule rule ... [@Root]`; see src/native/default-rules.ts.
bool TypeTable::AddDefaults(std::string_view line) {
  const auto known = by_name_.find(std::string(Next(&line, ' ')));
  if (known == by_name_.end()) return false;
  StructType* type = known->second;
  const StructType* root = nullptr;
  if (const size_t at = line.find('@'); at != std::string_view::npos) {
    root = Find(line.substr(at + 1));
    if (root == nullptr) return false;
    line = line.substr(0, at);
  }
  while (!line.empty()) {
    std::string_view text = Next(&line, ' ');
    if (text.empty()) continue;
    DefaultRule rule;
    rule.root = root;
    if (text == "*") {
      rule.op = DefaultRule::kAnyField;
    } else if (const size_t covers = text.find(">="); covers != std::string_view::npos) {
      rule.op = DefaultRule::kCovers;
      rule.other = type->ByName(text.substr(covers + 2));
      rule.field = type->ByName(text.substr(0, covers));
      if (rule.other < 0 || rule.field < 0) return false;
    } else if (const size_t key = text.find('#'); key != std::string_view::npos) {
      rule.op = DefaultRule::kHasKey;
      rule.values.emplace_back(text.substr(key + 1));
      rule.field = type->ByName(text.substr(0, key));
    } else {
      rule.field = type->ByName(Next(&text, '?'));
      if (!text.empty()) {
        rule.other = type->ByName(Next(&text, '='));
        if (rule.other < 0) return false;
        while (!text.empty()) rule.values.emplace_back(Next(&text, '|'));
      }
    }
    if (rule.op != DefaultRule::kAnyField && rule.field < 0) return false;
    type->defaults.push_back(std::move(rule));
  }
  return true;
}

size_t TypeTable::Load(std::string_view json, std::string_view defaults) {
  std::lock_guard hold(g_load_lock);
  if (!structs_.empty()) return structs_.size();
  JsonTape tape;
  std::string scratch;
  if (!tape.Parse(json) || tape.at(0).type != JsonNode::kObject) return 0;
  uint32_t types = 0;
  for (uint32_t i = 1; i < tape.at(0).next; i = tape.at(i + 1).next) {
    if (tape.String(tape.at(i), &scratch) == "types") types = i + 1;
  }
  if (types == 0 || tape.at(types).type != JsonNode::kObject) return 0;
  std::vector<std::pair<std::string, std::string>> aliases;
  for (uint32_t i = types + 1; i < tape.at(types).next; i = tape.at(i + 1).next) {
    const std::string name(tape.String(tape.at(i), &scratch));
    const std::string_view text = tape.String(tape.at(i + 1), &scratch);
    if (!text.empty() && text[0] == '=') aliases.emplace_back(name, text.substr(1, text.find('|') - 1));
    else Compile(Declare(name), text);
  }
  for (const auto& [name, target] : aliases) {
    const auto at = by_name_.find(target);
    if (at == by_name_.end()) continue;
    StructType* alias = Declare(name);
    const std::string own = alias->name;
    *alias = *at->second;
    alias->name = own;
  }
  while (!defaults.empty()) {
    const std::string_view line = Next(&defaults, '\n');
    if (!line.empty() && !AddDefaults(line)) return 0;
  }
  return structs_.size();
}

const StructType* TypeTable::Find(std::string_view name) const {
  const auto at = by_name_.find(std::string(name));
  return at == by_name_.end() ? nullptr : at->second;
}

}  // namespace klystron
