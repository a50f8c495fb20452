// All objects of one resource in memory: an ordered index, its inverted indexes, and the ring of
// recent events. One writer thread; readers on any thread take snapshots (rules R1-R5).
#pragma once

#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "core/index.h"
#include "core/ring.h"
#include "core/tree.h"

namespace klystron {

class Resource;

// Told, on the writer's thread and outside of the lock, that a resource moved on.
class Waker {
 public:
  virtual ~Waker() = default;
  virtual void Wake(uint32_t resource) = 0;
};

class Resource {
 public:
  using Objects = Tree<Record>;
  struct Snapshot { Objects objects; uint64_t revision = 0; };
  struct Stats { uint64_t revision, objects, ring_events, floor; int64_t record_bytes, index_bytes, ring_bytes; };

  Resource(uint32_t id, std::shared_ptr<Shape> shape, RingLimits limits);

  uint32_t id() const { return id_; }
  const std::shared_ptr<Shape>& shape() const { return shape_; }

  // --- the writer's thread ---
  void BeginFill();
  int FillPut(std::string_view key, uint64_t revision, std::string_view value, bool complete = false);
  int CommitFill(uint64_t revision);
  int Put(std::string_view key, uint64_t revision, std::string_view value, bool more, bool complete = false);
  void Delete(std::string_view key, uint64_t revision, bool more);
  void Progress(uint64_t revision);
  void Drop();

  // --- any thread ---
  Snapshot Now() const;
  // kOk, kExpired, kTooNew or kNotReady.
  int AtRevision(uint64_t revision, Snapshot* out) const;
  // A snapshot of the newest state, and the postings to narrow `selector`, of the same moment.
  bool NowFor(const Selector& selector, Snapshot* out, std::vector<Index::Postings>* postings) const;
  uint64_t Revision() const;
  uint64_t Count() const;
  Ref<Record> Get(std::string_view key) const;
  Stats GetStats() const;
  void AddWaker(const std::shared_ptr<Waker>& waker);
  void RemoveWaker(const Waker* waker);

  // What a watch reads at once: up to `max` events from `seq` on.
  struct Batch {
    enum Kind { kEvents, kLapped, kDropped } kind = kEvents;
    std::vector<Ref<Event>> events;
    uint64_t next_seq = 0;   // of the ring, when read
    uint64_t revision = 0;   // everything up to here is in the ring, when read
    uint64_t floor = 0;
  };
  void Read(uint64_t seq, size_t max, Batch* out) const;
  // A snapshot with the position of the first event that is not in it.
  Snapshot NowWithSeq(uint64_t* seq) const;
  uint64_t SeqAfter(uint64_t revision, bool* lapped, uint64_t* floor) const;

 private:
  struct Staged { Ref<Key> key; Ref<Record> record; uint64_t revision; };
  void ApplyLocked(Staged& staged, int64_t now_ms, std::vector<Ref<Record>>* old);
  void Publish(std::vector<Staged>& staged, uint64_t revision);
  void WakeAll();

  const uint32_t id_;
  const std::shared_ptr<Shape> shape_;

  mutable std::mutex lock_;  // guards what follows
  Objects objects_;
  Index index_;
  Ring ring_;
  uint64_t revision_ = 0;
  bool ready_ = false;
  bool dropped_ = false;
  // States rebuilt for reads at an exact revision, newest last.
  struct Kept { uint64_t seq; Objects objects; };
  mutable std::vector<Kept> kept_;

  std::mutex wakers_lock_;
  std::vector<std::shared_ptr<Waker>> wakers_;

  // The writer's own.
  Objects fill_;
  std::vector<Staged> staged_;
};

}  // namespace klystron
