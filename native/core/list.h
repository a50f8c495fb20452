// One LIST: an immutable snapshot, which items of it are on the page, and the position in the
// document while it is written. Used by one thread at a time.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/frame.h"
#include "core/resource.h"
#include "core/selector.h"

namespace klystron {

struct ListQuery {
  Selector selector;
  std::string start_key;
  uint64_t limit = 0;
  std::optional<uint64_t> revision;
};

class List {
 public:
  // kOk, or why not (kExpired, kTooNew, kNotReady).
  static int Open(const Resource& resource, const ListQuery& query, List* out);

  uint64_t revision() const { return snapshot_.revision; }
  uint64_t count() const { return count_; }
  const std::string& next_key() const { return next_key_; }
  std::optional<uint64_t> remaining() const { return remaining_; }

  // Makes the encoding's forms of more items, so that Begin finds them, until it has worked through
  // `most` bytes of their JSON; gives how many items are left.
  uint64_t Prepare(Encoding encoding, uint64_t most);
  // Starts the document; gives its whole length or a Status.
  int64_t Begin(Encoding encoding, std::string_view kind, std::string_view api_version, std::string_view token);
  // Writes the next bytes; 0 at the end.
  size_t Read(char* target, size_t size);
  // The i-th item, or null.
  Record* Item(uint64_t i);

 private:
  void SelectRange(const ListQuery& query);
  void SelectMatches(const Resource& resource, const ListQuery& query, const std::vector<Index::Postings>* postings);
  bool Take(Record* record, const ListQuery& query);
  Record* NextItem();
  void Rewind();
  void Head(std::string_view kind, std::string_view api_version, std::string_view token);
  void ProtoHead(std::string_view kind, std::string_view api_version, std::string_view token, uint64_t items);
  uint64_t ItemsLength(int* status);
  void NextParts();

  std::shared_ptr<Shape> shape_;
  Resource::Snapshot snapshot_;
  bool range_ = false;
  uint64_t first_ = 0;  // rank, in range mode
  std::vector<Record*> matches_;
  uint64_t count_ = 0;
  std::string next_key_;
  std::optional<uint64_t> remaining_;

  Encoding encoding_ = kJson;
  std::string head_, tail_, scratch_;
  Resource::Objects::Cursor cursor_;
  uint64_t written_ = 0;      // items begun
  enum { kHeadPart, kItemParts, kTailPart, kDone } stage_ = kDone;
  std::string_view parts_[4];  // what is being written, from part_ on
  int part_ = 0, part_count_ = 0;
  // The last item asked for by rank.
  Resource::Objects::Cursor item_cursor_;
  uint64_t item_next_ = UINT64_MAX;
  uint64_t prepared_ = 0;
};

}  // namespace klystron
