// What one pass over a message notes of a field.
#pragma once

#include <cstdint>
#include <string_view>

#include "transcode/wire.h"

namespace klystron {

// A field's occurrences in its message: the last value, and where the first one starts.
struct Slot {
  union { uint64_t number = 0; const char* data; };
  const char* first = nullptr;  // the tag
  const char* end = nullptr;    // of the message
  uint32_t size = 0;
  uint32_t count : 29 = 0;
  uint32_t wire : 3 = 0;

  std::string_view bytes() const { return wire == kLengthDelimited ? std::string_view(data, size) : std::string_view(); }
  uint64_t value() const { return wire == kLengthDelimited ? 0 : number; }
};
static_assert(sizeof(Slot) == 32);

inline bool ReadValue(WireReader* reader, uint32_t wire, Slot* slot) {
  slot->wire = wire & 7;
  switch (wire) {
    case kVarint: return reader->Varint(&slot->number);
    case kFixed64: return reader->Fixed(8, &slot->number);
    case kFixed32: return reader->Fixed(4, &slot->number);
    case kLengthDelimited: {
      std::string_view bytes;
      if (!reader->Bytes(&bytes)) return false;
      slot->data = bytes.data();
      slot->size = static_cast<uint32_t>(bytes.size());
      return true;
    }
    default: return false;
  }
}

}  // namespace klystron
