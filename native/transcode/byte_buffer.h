// A growing byte array whose appends are inlined: std::string's are calls.
#pragma once

#include <cstdlib>
#include <cstring>
#include <string_view>

namespace klystron {

class ByteBuffer {
 public:
  ByteBuffer() = default;
  ByteBuffer(const ByteBuffer&) = delete;
  ByteBuffer& operator=(const ByteBuffer&) = delete;
  ~ByteBuffer() { std::free(data_); }

  void clear() { size_ = 0; }
  size_t size() const { return size_; }
  std::string_view view() const { return {data_, size_}; }
  // Room for `more` bytes at the returned place; Advance says how many were written.
  char* Room(size_t more) {
    if (capacity_ - size_ < more) Grow(more);
    return data_ + size_;
  }
  void Advance(size_t count) { size_ += count; }
  void operator+=(char c) {
    if (capacity_ == size_) Grow(1);
    data_[size_++] = c;
  }
  void operator+=(std::string_view text) {
    char* p = Room(text.size());
    if (!text.empty()) std::memcpy(p, text.data(), text.size());
    size_ += text.size();
  }

 private:
  void Grow(size_t more) {
    capacity_ = (capacity_ + more) * 2 + 1024;
    data_ = static_cast<char*>(std::realloc(data_, capacity_));
  }
  char* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace klystron
