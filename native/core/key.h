// A key relative to its resource's prefix: `default/web-0` or `node-1`. One Key serves every
// version of its object and the postings of the indexes.
#pragma once

#include <cstdlib>
#include <cstring>
#include <new>
#include <string_view>

#include "core/counted.h"
#include "core/ref.h"

namespace klystron {

class Key {
 public:
  static Ref<Key> Make(std::string_view text, bool namespaced) {
    void* memory = std::malloc(sizeof(Key) + text.size());
    Key* key = new (memory) Key();
    key->size_ = static_cast<uint32_t>(text.size());
    const size_t slash = namespaced ? text.find('/') : std::string_view::npos;
    key->name_at_ = slash == std::string_view::npos ? 0 : static_cast<uint32_t>(slash + 1);
    std::memcpy(key->chars(), text.data(), text.size());
    return Ref<Key>::Adopt(key);
  }
  void Acquire() { count_.Up(); }
  void Release() {
    if (count_.Down()) std::free(this);
  }

  std::string_view text() const { return {chars(), size_}; }
  std::string_view name() const { return text().substr(name_at_); }
  std::string_view ns() const { return name_at_ == 0 ? "" : text().substr(0, name_at_ - 1); }
  size_t bytes() const { return sizeof(Key) + size_; }
  // What Tree asks of its items.
  std::string_view SortKey() const { return text(); }
  uint64_t Weight() const { return 0; }

 private:
  char* chars() { return reinterpret_cast<char*>(this + 1); }
  const char* chars() const { return reinterpret_cast<const char*>(this + 1); }

  Count count_;
  uint32_t size_ = 0;
  uint32_t name_at_ = 0;
};

}  // namespace klystron
