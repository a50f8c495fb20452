// Which keys have a label, a label's value or a field's value. Guarded by its resource's lock;
// the postings are trees, so a reader takes a snapshot of one in O(1).
#pragma once

#include <string>
#include <unordered_map>

#include "core/record.h"
#include "core/selector.h"
#include "core/tree.h"

namespace klystron {

class Index {
 public:
  using Postings = Tree<Key>;

  void Add(const Record& record) { Each(record, [&](const std::string& term) { postings_[term].Put(record.shared_key()); }); }
  void Remove(const Record& record) { Each(record, [&](const std::string& term) { Drop(term, record); }); }
  // Cheaper than Remove and Add when, as almost always, nothing of this changed.
  void Replace(const Record& before, const Record& now) {
    if (SameTerms(before, now)) return;
    Remove(before);
    Add(now);
  }
  // Postings whose union holds every match of `selector`; false when no requirement can use one.
  bool Candidates(const Selector& selector, std::vector<Postings>* out) const {
    uint64_t best = UINT64_MAX;
    const auto consider = [&](const std::vector<std::string>& terms) {
      std::vector<Postings> found;
      uint64_t size = 0;
      for (const std::string& term : terms) {
        const auto at = postings_.find(term);
        if (at == postings_.end()) continue;
        size += at->second.size();
        found.push_back(at->second);
      }
      if (size < best) { best = size; *out = std::move(found); }
    };
    for (const FieldRequirement& field : selector.fields) {
      if (field.equal && field.kind == FieldRequirement::kPath) consider({FieldTerm(field.path, field.value)});
    }
    for (const LabelRequirement& label : selector.labels) {
      if (label.op == LabelRequirement::kIn) {
        std::vector<std::string> terms;
        for (const std::string& value : label.values) terms.push_back(LabelTerm(label.key, value));
        consider(terms);
      } else if (label.op != LabelRequirement::kNotIn && label.op != LabelRequirement::kDoesNotExist) {
        consider({KeyTerm(label.key)});
      }
    }
    return best != UINT64_MAX;
  }
  int64_t bytes() const { return term_bytes_; }
  void Clear() { postings_.clear(); term_bytes_ = 0; }

 private:
  static std::string LabelTerm(std::string_view key, std::string_view value) {
    return std::string("l").append(key).append("=").append(value);
  }
  static std::string KeyTerm(std::string_view key) { return std::string("k").append(key); }
  static std::string FieldTerm(size_t path, std::string_view value) {
    return std::string("f").append(1, static_cast<char>('0' + path)).append(value);
  }
  static bool SameTerms(const Record& a, const Record& b) {
    if (a.label_count() != b.label_count()) return false;
    for (size_t i = 0; i < a.label_count(); i++) {
      if (a.label_key(i) != b.label_key(i) || a.label_value(i) != b.label_value(i)) return false;
    }
    for (size_t i = 0; i < a.field_count(); i++) if (a.Field(i) != b.Field(i)) return false;
    return true;
  }
  template <class Visit>
  void Each(const Record& record, Visit visit) {
    for (size_t i = 0; i < record.label_count(); i++) {
      visit(LabelTerm(record.label_key(i), record.label_value(i)));
      visit(KeyTerm(record.label_key(i)));
    }
    for (size_t i = 0; i < record.field_count(); i++) visit(FieldTerm(i, record.Field(i)));
  }
  void Drop(const std::string& term, const Record& record) {
    const auto at = postings_.find(term);
    if (at == postings_.end()) return;
    at->second.Erase(record.key().text());
    if (at->second.size() == 0) postings_.erase(at);
  }
  std::unordered_map<std::string, Postings> postings_;
  int64_t term_bytes_ = 0;
};

}  // namespace klystron
