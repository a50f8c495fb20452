// One watcher: a position in its resource's ring, a selector, an encoding. Belongs to one thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/frame.h"
#include "core/resource.h"

namespace klystron {

struct WatchQuery {
  enum From { kState, kInitial, kAfter, kNow } from = kNow;
  uint64_t revision = 0;
  Encoding encoding = kJson;
  bool bookmarks = false;
  Selector selector;
};

class Watch {
 public:
  enum Take { kReady, kLapped, kDropped };

  Watch(std::shared_ptr<Resource> resource, WatchQuery query);

  // Appends what is next, until about `max_bytes` of objects; moves on. Nothing appended: the
  // watch has caught up. kLapped and kDropped (nothing appended) are final.
  Take Next(size_t max_bytes, size_t max_pieces, std::vector<Piece>* out);
  // Whether Next may have something, by what is known without the lock.
  bool caught_up() const { return caught_up_; }
  // An event at `seq` concerns this watch, which had seen everything before.
  void Behind(uint64_t seq) {
    if (seq < seq_) return;
    seq_ = seq;
    caught_up_ = false;
  }
  // `seq`: up to there the caller has looked at every event on this watch's behalf.
  void WantBookmark(uint64_t seq) {
    if (!query_.bookmarks || !caught_up_) return;
    if (seq > seq_) seq_ = seq;
    want_bookmark_ = true;
    caught_up_ = false;
  }
  uint64_t seq() const { return seq_; }
  // Everything up to this revision has been taken, or was of no concern.
  uint64_t revision() const { return revision_; }
  void Passed(uint64_t revision) { if (caught_up_ && revision > revision_) revision_ = revision; }
  const WatchQuery& query() const { return query_; }
  Resource& resource() const { return *resource_; }
  const std::string& error() const { return error_; }

 private:
  bool NextInitial(size_t max_bytes, size_t max_pieces, std::vector<Piece>* out, size_t* bytes);

  std::shared_ptr<Resource> resource_;
  WatchQuery query_;
  uint64_t seq_ = 0;
  uint64_t revision_ = 0;
  bool initial_ = false;
  bool caught_up_ = false;
  bool want_bookmark_ = false;
  bool lapped_ = false;
  Resource::Snapshot state_;  // while initial_
  Resource::Objects::Cursor cursor_;
  std::string error_;
  Resource::Batch batch_;
};

}  // namespace klystron
