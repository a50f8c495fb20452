// How records stand in watch streams and answers, in each encoding.
#pragma once

#include <string>
#include <string_view>

#include "core/encoding.h"
#include "core/event.h"

namespace klystron {

// One event as a watch sends it. Holds its record, so that the bytes can be made again.
struct Piece {
  EventCode code = kNone;
  uint64_t revision = 0;  // of the event; for a bookmark, of the bookmark
  Ref<Record> record;     // null for bookmarks and errors
  std::string text;       // an error's message
};

// Appends the object as GET answers it. kOk, kNoProtobuf or kBadValue.
int AppendObject(const Record& record, Encoding encoding, std::string* out);
// Appends the object as an item of a list's document (without separators).
int AppendItem(const Record& record, Encoding encoding, std::string* out);
// Appends one frame: a JSON line, or 4 bytes of length and a WatchEvent message.
void AppendFrame(const Shape& shape, const Piece& piece, Encoding encoding, std::string* out);
// `{"kind":"Status",...}` of an expired watch.
std::string ExpiredStatusJson(std::string_view message);

}  // namespace klystron
