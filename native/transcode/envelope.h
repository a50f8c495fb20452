// Kubernetes' protobuf envelope: `k8s\0` and a runtime.Unknown around an object's message.
#pragma once

#include <string>
#include <string_view>

#include "transcode/wire.h"

namespace klystron {

struct Envelope {
  std::string_view api_version;
  std::string_view kind;
  std::string_view raw;
};

inline constexpr std::string_view kEnvelopeMagic("k8s\0", 4);

inline bool IsEnvelope(std::string_view value) { return value.substr(0, 4) == kEnvelopeMagic; }

// False when it is cut off, or its content is not protobuf as it is.
inline bool ReadEnvelope(std::string_view value, Envelope* out) {
  WireReader reader(value.substr(4));
  while (!reader.AtEnd()) {
    uint32_t number = 0, wire = 0;
    std::string_view bytes;
    if (!reader.Tag(&number, &wire)) return false;
    if (number < 1 || number > 4) {
      if (!reader.Skip(wire)) return false;
      continue;
    }
    if (wire != kLengthDelimited || !reader.Bytes(&bytes)) return false;
    if (number == 2) out->raw = bytes;
    if (number == 3 && !bytes.empty()) return false;
    if (number != 1) continue;
    WireReader meta(bytes);
    while (!meta.AtEnd()) {
      std::string_view text;
      if (!meta.Tag(&number, &wire)) return false;
      if (wire != kLengthDelimited) {
        if (!meta.Skip(wire)) return false;
        continue;
      }
      if (!meta.Bytes(&text)) return false;
      if (number == 1) out->api_version = text;
      if (number == 2) out->kind = text;
    }
  }
  return true;
}

// What stands before and behind a raw message of `size` bytes.
inline void EnvelopeAround(uint64_t size, std::string_view kind, std::string_view api_version,
                           std::string* head, std::string* tail) {
  std::string meta;
  AppendBytesField(1, api_version, &meta);
  AppendBytesField(2, kind, &meta);
  *head += kEnvelopeMagic;
  AppendBytesField(1, meta, head);
  AppendTag(2, kLengthDelimited, head);
  AppendVarint(size, head);
  AppendBytesField(3, {}, tail);
  AppendBytesField(4, {}, tail);
}

// The first occurrence of a length-delimited field, or an empty view.
inline std::string_view FirstField(std::string_view message, uint32_t wanted) {
  WireReader reader(message);
  uint32_t number = 0, wire = 0;
  while (!reader.AtEnd() && reader.Tag(&number, &wire)) {
    std::string_view bytes;
    if (wire == kLengthDelimited) {
      if (!reader.Bytes(&bytes)) break;
      if (number == wanted) return bytes;
    } else if (!reader.Skip(wire)) {
      break;
    }
  }
  return {};
}

}  // namespace klystron
