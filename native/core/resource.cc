#include "core/resource.h"

#include <algorithm>
#include <chrono>

#include "core/status.h"

namespace klystron {
namespace {

int64_t NowMs() {
  using std::chrono::steady_clock;
  return std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now().time_since_epoch()).count();
}

constexpr size_t kKeptStates = 16;

}  // namespace

Resource::Resource(uint32_t id, std::shared_ptr<Shape> shape, RingLimits limits)
    : id_(id), shape_(std::move(shape)) {
  ring_.limits = limits;
}

void Resource::BeginFill() { fill_ = Objects(); }

int Resource::FillPut(std::string_view key, uint64_t revision, std::string_view value, bool complete) {
  // An object that has not changed since keeps its record.
  Ref<Record> record = Get(key);
  if (!record || record->revision() != revision) {
    const int status = Record::FromStored(shape_, Key::Make(key, shape_->namespaced), revision, value, complete, &record);
    if (status != kOk) return status;
  }
  fill_.Put(std::move(record));
  return kOk;
}

int Resource::CommitFill(uint64_t revision) {
  Objects fill = std::move(fill_);
  fill_ = Objects();
  if (!ready_) {
    Index index;
    auto cursor = fill.From("");
    while (Record* record = cursor.Next()) index.Add(*record);
    {
      std::lock_guard hold(lock_);
      objects_ = std::move(fill);
      index_ = std::move(index);
      revision_ = revision;
      ready_ = true;
      ring_.Start(revision);
    }
    WakeAll();
    return 0;
  }
  std::vector<Staged> changes;
  auto old_cursor = objects_.From("");
  auto new_cursor = fill.From("");
  Record* before = old_cursor.Next();
  Record* now = new_cursor.Next();
  while (before != nullptr || now != nullptr) {
    const int order = before == nullptr ? 1 : now == nullptr ? -1 : before->SortKey().compare(now->SortKey());
    if (order < 0) changes.push_back({before->shared_key(), {}, revision});
    else if (order > 0 || before->revision() != now->revision()) {
      changes.push_back({now->shared_key(), Ref<Record>::Share(now), now->revision()});
    }
    if (order <= 0) before = old_cursor.Next();
    if (order >= 0) now = new_cursor.Next();
  }
  std::stable_sort(changes.begin(), changes.end(), [](const Staged& a, const Staged& b) { return a.revision < b.revision; });
  const int count = static_cast<int>(changes.size());
  Publish(changes, revision);
  return count;
}

int Resource::Put(std::string_view key, uint64_t revision, std::string_view value, bool more, bool complete) {
  Ref<Record> record;
  Record* existing = nullptr;
  Ref<Record> held = Get(key);
  existing = held.get();
  Ref<Key> shared = existing != nullptr ? existing->shared_key() : Key::Make(key, shape_->namespaced);
  const int status = Record::FromStored(shape_, shared, revision, value, complete, &record);
  if (complete && (status == kIncomplete || status == kOtherVersion)) return status;
  if (status == kOk && shape_->wants_proto.load(std::memory_order_relaxed)) record->proto();
  staged_.push_back({std::move(shared), status == kOk ? std::move(record) : Ref<Record>(), revision});
  if (!more) Publish(staged_, revision);
  return status;
}

void Resource::Delete(std::string_view key, uint64_t revision, bool more) {
  staged_.push_back({Key::Make(key, shape_->namespaced), {}, revision});
  if (!more) Publish(staged_, revision);
}

void Resource::ApplyLocked(Staged& staged, int64_t now_ms, std::vector<Ref<Record>>* old) {
  Ref<Record> before;
  if (staged.record) {
    before = objects_.Put(staged.record);
    if (before) index_.Replace(*before, *staged.record);
    else index_.Add(*staged.record);
  } else {
    before = objects_.Erase(staged.key->text());
    if (!before) return;
    index_.Remove(*before);
  }
  old->push_back(before);
  ring_.Push(staged.revision, now_ms, std::move(staged.record), std::move(before));
}

void Resource::Publish(std::vector<Staged>& staged, uint64_t revision) {
  const int64_t now_ms = NowMs();
  std::vector<Ref<Record>> old;
  std::vector<Ref<Event>> dropped;
  {
    std::lock_guard hold(lock_);
    for (Staged& change : staged) ApplyLocked(change, now_ms, &old);
    if (revision > revision_) revision_ = revision;
    ring_.Trim(now_ms, &dropped);
    if (!kept_.empty() && kept_.front().seq < ring_.first_seq()) kept_.clear();
  }
  staged.clear();
  WakeAll();
}

void Resource::Progress(uint64_t revision) {
  std::vector<Ref<Event>> dropped;
  {
    std::lock_guard hold(lock_);
    if (revision <= revision_) return;
    revision_ = revision;
    ring_.Trim(NowMs(), &dropped);
  }
  WakeAll();
}

void Resource::Drop() {
  // Freed outside of the lock.
  Objects objects;
  Index index;
  Ring ring;
  {
    std::lock_guard hold(lock_);
    dropped_ = true;
    ready_ = false;
    std::swap(objects, objects_);
    std::swap(index, index_);
    std::swap(ring, ring_);
    kept_.clear();
  }
  WakeAll();
}

Resource::Snapshot Resource::Now() const {
  std::lock_guard hold(lock_);
  return {objects_, revision_};
}

Resource::Snapshot Resource::NowWithSeq(uint64_t* seq) const {
  std::lock_guard hold(lock_);
  *seq = ring_.next_seq();
  return {objects_, revision_};
}

bool Resource::NowFor(const Selector& selector, Snapshot* out, std::vector<Index::Postings>* postings) const {
  std::lock_guard hold(lock_);
  *out = {objects_, revision_};
  return index_.Candidates(selector, postings);
}

int Resource::AtRevision(uint64_t revision, Snapshot* out) const {
  std::vector<Ref<Event>> undo;
  Objects objects;
  uint64_t seq = 0;
  {
    std::lock_guard hold(lock_);
    if (!ready_) return kNotReady;
    if (revision > revision_) return kTooNew;
    if (revision < ring_.floor()) return kExpired;
    seq = ring_.SeqAfter(revision);
    objects = objects_;
    uint64_t from = ring_.next_seq();
    for (const Kept& kept : kept_) {
      if (kept.seq >= seq && kept.seq < from) { from = kept.seq; objects = kept.objects; }
    }
    for (uint64_t at = from; at > seq; at--) undo.push_back(Ref<Event>::Share(ring_.At(at - 1)));
  }
  for (const Ref<Event>& event : undo) {
    if (event->before) objects.Put(event->before);
    else objects.Erase(event->now->SortKey());
  }
  if (!undo.empty()) {
    std::lock_guard hold(lock_);
    if (kept_.size() >= kKeptStates) kept_.erase(kept_.begin());
    if (seq >= ring_.first_seq()) kept_.push_back({seq, objects});
  }
  *out = {std::move(objects), revision};
  return kOk;
}

uint64_t Resource::Revision() const { std::lock_guard hold(lock_); return ready_ ? revision_ : 0; }

uint64_t Resource::Count() const { std::lock_guard hold(lock_); return objects_.size(); }

Ref<Record> Resource::Get(std::string_view key) const {
  Objects objects;
  {
    std::lock_guard hold(lock_);
    objects = objects_;
  }
  return Ref<Record>::Share(objects.Find(key));
}

Resource::Stats Resource::GetStats() const {
  std::lock_guard hold(lock_);
  return {revision_, objects_.size(), ring_.size(), ring_.floor(), shape_->record_bytes.load(), g_tree_bytes.load(), ring_.bytes()};
}

void Resource::AddWaker(const std::shared_ptr<Waker>& waker) {
  std::lock_guard hold(wakers_lock_);
  wakers_.push_back(waker);
}

void Resource::RemoveWaker(const Waker* waker) {
  std::lock_guard hold(wakers_lock_);
  std::erase_if(wakers_, [&](const auto& held) { return held.get() == waker; });
}

void Resource::WakeAll() {
  std::lock_guard hold(wakers_lock_);
  for (const auto& waker : wakers_) waker->Wake(id_);
}

void Resource::Read(uint64_t seq, size_t max, Batch* out) const {
  out->events.clear();
  std::lock_guard hold(lock_);
  out->next_seq = ring_.next_seq();
  out->revision = revision_;
  out->floor = ring_.floor();
  out->kind = dropped_ ? Batch::kDropped : seq < ring_.first_seq() ? Batch::kLapped : Batch::kEvents;
  if (out->kind != Batch::kEvents) return;
  const uint64_t end = std::min(ring_.next_seq(), seq + max);
  for (uint64_t at = seq; at < end; at++) out->events.push_back(Ref<Event>::Share(ring_.At(at)));
}

uint64_t Resource::SeqAfter(uint64_t revision, bool* lapped, uint64_t* floor) const {
  std::lock_guard hold(lock_);
  *lapped = revision < ring_.floor();
  *floor = ring_.floor();
  return ring_.SeqAfter(revision);
}

}  // namespace klystron
