#include "core/splice.h"

#include "core/json_scan.h"

namespace klystron {
namespace {

bool ComesBefore(std::string_view member, bool typed) {
  if (!typed) return member < "resourceVersion";
  return member == "name" || member == "generateName" || member == "namespace" ||
         member == "selfLink" || member == "uid";
}

}  // namespace

bool SpliceRevision(std::string_view json, std::string_view revision, bool typed, std::string* out) {
  const std::string_view metadata = Member(json, "metadata");
  if (metadata.size() < 2 || metadata[0] != '{') return false;
  const char* start = json.data();
  const char* cut = metadata.data() + 1;  // where the member goes
  const char* resume = cut;               // what follows it
  bool first = true;
  bool last = metadata.size() == 2;
  EachMember(metadata, [&](std::string_view name, std::string_view value) {
    if (name == "resourceVersion") {
      cut = name.data() - 1;
      resume = value.data() + value.size();
      last = *resume == '}';
      if (!last) resume++;
      first = true;  // a comma, if any, already stands before it
      return false;
    }
    if (ComesBefore(name, typed)) {
      cut = resume = value.data() + value.size();
      first = false;
      last = *resume == '}';
      if (!last) resume++;
      return true;
    }
    // Resume at the first member that comes later, but keep looking for an existing one.
    return true;
  });
  out->reserve(json.size() + 48);
  out->append(start, static_cast<size_t>(cut - start));
  if (!first) *out += ',';
  *out += "\"resourceVersion\":\"";
  out->append(revision);
  *out += '"';
  if (!last) *out += ',';
  out->append(resume, static_cast<size_t>(start + json.size() - resume));
  return true;
}

}  // namespace klystron
