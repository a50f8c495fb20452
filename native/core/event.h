// One change of one object, immutable but for the deletion's record, which is made when wanted.
#pragma once

#include <atomic>
#include <cstdlib>

#include "core/counted.h"
#include "core/record.h"
#include "core/selector.h"

namespace klystron {

// Indexed by EventCode of src/native/binding.ts. kInitialEnd is a BOOKMARK with its annotation.
enum EventCode : int { kAdded = 0, kModified = 1, kDeleted = 2, kBookmark = 3, kError = 4, kInitialEnd = 5, kNone = 6 };

class Event {
 public:
  Event(uint64_t seq, uint64_t revision, int64_t time_ms, Ref<Record> now, Ref<Record> before)
      : seq(seq), revision(revision), time_ms(time_ms), now(std::move(now)), before(std::move(before)) {}
  ~Event() {
    Record* tomb = tomb_.load(std::memory_order_relaxed);
    if (tomb != nullptr) tomb->Release();
  }
  void Acquire() { count_.Up(); }
  void Release() { if (count_.Down()) delete this; }

  const uint64_t seq;
  const uint64_t revision;
  const int64_t time_ms;
  const Ref<Record> now;     // null for a deletion
  const Ref<Record> before;  // null for a creation

  // Bytes that live only for the ring's sake once `now` is current.
  int64_t RingBytes() const {
    return static_cast<int64_t>(sizeof(Event) + sizeof(void*) + (before ? before->bytes() : 0));
  }
  // What a watcher with this selector sees, and with which record.
  EventCode For(const Selector& selector, Record** record) const {
    const bool is = now && selector.Matches(*now);
    const bool was = before && selector.Matches(*before);
    *record = is ? now.get() : nullptr;
    if (is) return was ? kModified : kAdded;
    if (!was) return kNone;
    *record = Tomb();
    return *record == nullptr ? kNone : kDeleted;
  }

 private:
  // `before` under this event's revision.
  Record* Tomb() const {
    Record* tomb = tomb_.load(std::memory_order_acquire);
    if (tomb != nullptr) return tomb;
    Record* fresh = before->AtRevision(revision).Detach();
    if (fresh == nullptr || tomb_.compare_exchange_strong(tomb, fresh, std::memory_order_acq_rel)) return fresh;
    fresh->Release();
    return tomb;
  }
  Count count_;
  mutable std::atomic<Record*> tomb_{nullptr};
};

}  // namespace klystron
