#include "core/selector.h"

#include <algorithm>
#include <charconv>

namespace klystron {
namespace {

bool Integer(std::string_view text, int64_t* out) {
  if (!text.empty() && text[0] == '+') text.remove_prefix(1);
  const auto result = std::from_chars(text.data(), text.data() + text.size(), *out);
  return !text.empty() && result.ec == std::errc() && result.ptr == text.data() + text.size();
}

}  // namespace

bool LabelRequirement::Matches(const Record& record) const {
  bool found = false;
  const std::string_view value = record.Label(key, &found);
  const auto listed = [&] { return std::find(values.begin(), values.end(), value) != values.end(); };
  switch (op) {
    case kIn: return found && listed();
    case kNotIn: return !found || !listed();
    case kExists: return found;
    case kDoesNotExist: return !found;
    case kGt:
    case kLt: {
      int64_t have = 0, wanted = 0;
      if (!found || values.size() != 1 || !Integer(value, &have) || !Integer(values[0], &wanted)) return false;
      return op == kGt ? have > wanted : have < wanted;
    }
  }
  return false;
}

bool FieldRequirement::Matches(const Record& record) const {
  std::string_view have;
  if (kind == kPath) have = record.Field(path);
  else if (kind == kName) have = record.key().name();
  else if (kind == kNamespace) have = record.key().ns();
  return (have == value) == equal;
}

void Selector::AddField(const Shape& shape, std::string_view field, bool equal, std::string_view value) {
  FieldRequirement requirement;
  requirement.equal = equal;
  requirement.value = value;
  if (field == "metadata.name") {
    requirement.kind = FieldRequirement::kName;
    if (equal && !has_name) { has_name = true; name = value; return; }
  } else if (field == "metadata.namespace") {
    requirement.kind = FieldRequirement::kNamespace;
    if (equal && !has_namespace && shape.namespaced) { has_namespace = true; ns = value; return; }
  } else {
    for (size_t i = 0; i < shape.field_paths.size(); i++) {
      if (shape.field_paths[i] != field) continue;
      requirement.kind = FieldRequirement::kPath;
      requirement.path = i;
    }
  }
  fields.push_back(std::move(requirement));
}

bool Selector::Matches(const Record& record) const {
  if (nothing) return false;
  if (has_namespace && record.key().ns() != ns) return false;
  if (has_name && record.key().name() != name) return false;
  for (const FieldRequirement& field : fields) if (!field.Matches(record)) return false;
  for (const LabelRequirement& label : labels) if (!label.Matches(record)) return false;
  return true;
}

bool Selector::SingleKey(const Shape& shape, std::string* key) const {
  if (!has_name || (shape.namespaced && !has_namespace)) return false;
  *key = shape.namespaced ? ns + "/" + name : name;
  return true;
}

}  // namespace klystron
