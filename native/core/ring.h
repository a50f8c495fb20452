// The recent events of one resource, oldest dropped first. Guarded by its resource's lock.
#pragma once

#include <algorithm>
#include <deque>

#include "core/event.h"

namespace klystron {

struct RingLimits {
  int64_t history_ms = 75'000;
  uint64_t max_events = 102'400;
  int64_t max_bytes = 256ll << 20;
};

class Ring {
 public:
  // Below this many events age alone drops nothing.
  static constexpr size_t kKeep = 100;

  RingLimits limits;

  // The revision after which the ring misses nothing.
  uint64_t floor() const { return floor_; }
  void Start(uint64_t revision) { floor_ = revision; }
  uint64_t first_seq() const { return next_seq_ - events_.size(); }
  uint64_t next_seq() const { return next_seq_; }
  size_t size() const { return events_.size(); }
  int64_t bytes() const { return bytes_; }
  Event* At(uint64_t seq) const { return events_[seq - first_seq()].get(); }

  void Push(uint64_t revision, int64_t now_ms, Ref<Record> now, Ref<Record> before) {
    Ref<Event> event = Ref<Event>::Adopt(
        new Event(next_seq_, revision, now_ms, std::move(now), std::move(before)));
    bytes_ += event->RingBytes();
    events_.push_back(std::move(event));
    next_seq_++;
  }
  // Moves events beyond the limits to `dropped`, to be freed outside of the lock.
  void Trim(int64_t now_ms, std::vector<Ref<Event>>* dropped) {
    while (!events_.empty()) {
      const Event& oldest = *events_.front();
      const bool aged = events_.size() > kKeep && now_ms - oldest.time_ms > limits.history_ms;
      if (!aged && events_.size() <= limits.max_events && bytes_ <= limits.max_bytes) return;
      floor_ = oldest.revision;
      bytes_ -= oldest.RingBytes();
      dropped->push_back(std::move(events_.front()));
      events_.pop_front();
    }
  }
  // The first event later than `revision`.
  uint64_t SeqAfter(uint64_t revision) const {
    const auto at = std::partition_point(events_.begin(), events_.end(), [&](const Ref<Event>& event) {
      return event->revision <= revision;
    });
    return first_seq() + static_cast<uint64_t>(at - events_.begin());
  }

 private:
  std::deque<Ref<Event>> events_;
  uint64_t next_seq_ = 1;
  uint64_t floor_ = 0;
  int64_t bytes_ = 0;
};

}  // namespace klystron
