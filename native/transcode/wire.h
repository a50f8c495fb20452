// Protobuf's wire format. Readers stop at `end` and report what does not fit.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace klystron {

enum WireType : uint32_t { kVarint = 0, kFixed64 = 1, kLengthDelimited = 2, kStartGroup = 3, kEndGroup = 4, kFixed32 = 5 };

class WireReader {
 public:
  explicit WireReader(std::string_view bytes)
      : p_(reinterpret_cast<const uint8_t*>(bytes.data())), end_(p_ + bytes.size()) {}
  bool AtEnd() const { return p_ == end_; }
  const uint8_t* at() const { return p_; }

  bool Varint(uint64_t* out) {
    if (p_ < end_ && *p_ < 0x80) { *out = *p_++; return true; }
    uint64_t value = 0;
    for (int shift = 0; shift < 70 && p_ < end_; shift += 7) {
      const uint8_t byte = *p_++;
      if (shift == 63 && byte > 1) return false;
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) { *out = value; return true; }
    }
    return false;
  }
  bool Bytes(std::string_view* out) {
    uint64_t size = 0;
    if (!Varint(&size) || size > static_cast<uint64_t>(end_ - p_)) return false;
    *out = {reinterpret_cast<const char*>(p_), static_cast<size_t>(size)};
    p_ += size;
    return true;
  }
  bool Fixed(size_t size, uint64_t* out) {
    if (static_cast<size_t>(end_ - p_) < size) return false;
    *out = 0;
    for (size_t i = 0; i < size; i++) *out |= static_cast<uint64_t>(p_[i]) << (8 * i);
    p_ += size;
    return true;
  }
  bool Tag(uint32_t* number, uint32_t* wire) {
    uint64_t tag = 0;
    if (!Varint(&tag) || tag >> 32 != 0 || tag < 8) return false;
    *number = static_cast<uint32_t>(tag >> 3);
    *wire = static_cast<uint32_t>(tag & 7);
    return true;
  }
  // Groups are not used by any type here, and refused.
  bool Skip(uint32_t wire) {
    uint64_t number = 0;
    std::string_view bytes;
    switch (wire) {
      case kVarint: return Varint(&number);
      case kFixed64: return Fixed(8, &number);
      case kLengthDelimited: return Bytes(&bytes);
      case kFixed32: return Fixed(4, &number);
      default: return false;
    }
  }

 private:
  const uint8_t* p_;
  const uint8_t* end_;
};

inline size_t VarintSize(uint64_t value) {
  size_t size = 1;
  while (value >= 0x80) { value >>= 7; size++; }
  return size;
}
inline void AppendVarint(uint64_t value, std::string* out) {
  while (value >= 0x80) { *out += static_cast<char>(value | 0x80); value >>= 7; }
  *out += static_cast<char>(value);
}
inline void AppendTag(uint32_t number, uint32_t wire, std::string* out) { AppendVarint(number << 3 | wire, out); }
inline void AppendBytesField(uint32_t number, std::string_view bytes, std::string* out) {
  AppendTag(number, kLengthDelimited, out);
  AppendVarint(bytes.size(), out);
  *out += bytes;
}
inline void AppendVarintField(uint32_t number, uint64_t value, std::string* out) {
  AppendTag(number, kVarint, out);
  AppendVarint(value, out);
}

}  // namespace klystron
