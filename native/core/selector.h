// Which objects a list or watch is about.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/record.h"

namespace klystron {

struct LabelRequirement {
  enum Operator : uint8_t { kIn, kNotIn, kExists, kDoesNotExist, kGt, kLt };
  std::string key;
  Operator op = kIn;
  std::vector<std::string> values;
  bool Matches(const Record& record) const;
};

struct FieldRequirement {
  enum Kind : uint8_t { kPath, kName, kNamespace, kUnknown };
  Kind kind = kUnknown;
  size_t path = 0;
  bool equal = true;
  std::string value;
  bool Matches(const Record& record) const;
};

struct Selector {
  bool has_namespace = false;
  std::string ns;
  bool has_name = false;
  std::string name;
  bool nothing = false;
  std::vector<LabelRequirement> labels;
  std::vector<FieldRequirement> fields;

  // Adds `field = value` or `field != value`; a path the shape does not have reads as "".
  void AddField(const Shape& shape, std::string_view field, bool equal, std::string_view value);
  bool Matches(const Record& record) const;
  // Whether labels or fields decide, so that the number of matches is not known from the index.
  bool Filters() const { return nothing || !labels.empty() || !fields.empty(); }
  // The key, when at most one object can match.
  bool SingleKey(const Shape& shape, std::string* key) const;
};

}  // namespace klystron
