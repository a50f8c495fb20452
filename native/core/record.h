// One version of one object, immutable: its JSON as GET serves it, where its metadata, labels and
// selectable fields are in that text, and its protobuf form once somebody wanted it.
#pragma once

#include <atomic>
#include <memory>
#include <string_view>

#include "core/counted.h"
#include "core/key.h"
#include "core/ref.h"
#include "core/shape.h"

namespace klystron {

class Record {
 public:
  // A k8s\0 envelope and the place of the bare message in it.
  struct Proto { uint32_t size; uint32_t raw_at; uint32_t raw_size;
    std::string_view envelope() const { return {reinterpret_cast<const char*>(this + 1), size}; }
    std::string_view raw() const { return envelope().substr(raw_at, raw_size); }
  };

  // Makes a record of what the store holds (k8s\0 protobuf, or JSON). kOk, kBadValue, or
  // kOtherVersion when the envelope is of another apiVersion than the shape's. With `complete` also
  // for JSON of a built-in type, and kIncomplete for what lacks defaults.
  static int FromStored(const std::shared_ptr<Shape>& shape, Ref<Key> key, uint64_t revision,
                        std::string_view value, bool complete, Ref<Record>* out);
  // The same content under another revision: what DELETED events carry.
  Ref<Record> AtRevision(uint64_t revision) const;

  void Acquire() { count_.Up(); }
  void Release() {
    if (count_.Down()) Destroy();
  }

  const Key& key() const { return *key_; }
  Ref<Key> shared_key() const { return key_; }
  uint64_t revision() const { return revision_; }
  const Shape& shape() const { return *shape_; }
  // With kind and apiVersion.
  std::string_view json() const { return {data(), json_size_}; }
  // What follows the `{` of a list's item.
  std::string_view item_tail() const { return json().substr(prefix_size_ == 0 ? 1 : prefix_size_); }
  std::string_view metadata() const { return json().substr(meta_.at, meta_.size); }
  std::string_view Label(std::string_view key, bool* found) const;
  std::string_view Field(size_t index) const { return Text(fields()[index]); }
  size_t label_count() const { return label_count_; }
  std::string_view label_key(size_t i) const { return Text(labels()[2 * i]); }
  std::string_view label_value(size_t i) const { return Text(labels()[2 * i + 1]); }
  size_t field_count() const { return field_count_; }
  size_t bytes() const { return bytes_; }
  // Made on first call, by whichever thread; null when it can not be (no protobuf, bad JSON).
  const Proto* proto() const;
  bool has_proto() const { return proto_.load(std::memory_order_relaxed) != nullptr; }

  // What Tree asks of its items.
  std::string_view SortKey() const { return key_->text(); }
  uint64_t Weight() const { return item_tail().size() + 1; }

 private:
  struct Slice { uint32_t at, size; };
  struct Extra;
  static int FromJson(const std::shared_ptr<Shape>& shape, Ref<Key> key, uint64_t revision,
                      std::string_view json, Ref<Record>* out);
  void Destroy();
  char* data() { return reinterpret_cast<char*>(slices() + 2 * label_count_ + field_count_); }
  const char* data() const { return const_cast<Record*>(this)->data(); }
  Slice* slices() { return reinterpret_cast<Slice*>(this + 1); }
  const Slice* labels() const { return const_cast<Record*>(this)->slices(); }
  const Slice* fields() const { return labels() + 2 * label_count_; }
  std::string_view Text(Slice slice) const { return {data() + slice.at, slice.size}; }

  Count count_;
  uint32_t json_size_ = 0;
  uint32_t prefix_size_ = 0;
  uint32_t bytes_ = 0;
  uint16_t label_count_ = 0;
  uint16_t field_count_ = 0;
  Slice meta_{0, 0};
  uint64_t revision_ = 0;
  Ref<Key> key_;
  std::shared_ptr<Shape> shape_;
  mutable std::atomic<Proto*> proto_{nullptr};
};

}  // namespace klystron
