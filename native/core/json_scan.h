// Walks compact JSON that is known to be valid, without copying. Every function stops at `end`.
#pragma once

#include <cstring>
#include <string_view>

namespace klystron {

// `p` is behind an opening quote; returns the position of the closing one.
inline const char* StringEnd(const char* p, const char* end) {
  for (;;) {
    const char* quote = static_cast<const char*>(std::memchr(p, '"', static_cast<size_t>(end - p)));
    if (quote == nullptr) return end;
    const char* back = quote;
    while (back > p && back[-1] == '\\') back--;
    if ((quote - back) % 2 == 0) return quote;
    p = quote + 1;
  }
}

// `p` is at the first character of a value; returns the position behind it.
inline const char* SkipJson(const char* p, const char* end) {
  int depth = 0;
  while (p < end) {
    const char c = *p;
    if (c == '"') {
      p = StringEnd(p + 1, end);
      if (p < end) p++;
      if (depth == 0) return p;
      continue;
    }
    if (c == '{' || c == '[') {
      depth++;
    } else if (c == '}' || c == ']') {
      if (depth == 0) return p;
      if (--depth == 0) return p + 1;
    } else if (c == ',' && depth == 0) {
      return p;
    }
    p++;
  }
  return end;
}

// Calls visit(name, value) for each member of the object at `text`; stops when it returns false.
// `name` is without quotes and as escaped in the text.
template <class Visit>
void EachMember(std::string_view text, Visit visit) {
  const char* p = text.data();
  const char* end = p + text.size();
  if (p >= end || *p != '{') return;
  p++;
  while (p < end && *p == '"') {
    const char* name_end = StringEnd(p + 1, end);
    if (name_end >= end) return;
    const std::string_view name(p + 1, static_cast<size_t>(name_end - p - 1));
    const char* value = name_end + 2;
    if (value >= end) return;
    const char* value_end = SkipJson(value, end);
    if (!visit(name, std::string_view(value, static_cast<size_t>(value_end - value)))) return;
    p = value_end < end && *value_end == ',' ? value_end + 1 : end;
  }
}

// The member's value, or an empty view.
inline std::string_view Member(std::string_view object, std::string_view wanted) {
  std::string_view found;
  EachMember(object, [&](std::string_view name, std::string_view value) {
    if (name != wanted) return true;
    found = value;
    return false;
  });
  return found;
}

}  // namespace klystron
