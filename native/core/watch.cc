#include "core/watch.h"

namespace klystron {

Watch::Watch(std::shared_ptr<Resource> resource, WatchQuery query)
    : resource_(std::move(resource)), query_(std::move(query)) {
  uint64_t floor = 0;
  switch (query_.from) {
    case WatchQuery::kState:
    case WatchQuery::kInitial:
      initial_ = true;
      state_ = resource_->NowWithSeq(&seq_);
      revision_ = state_.revision;
      cursor_ = state_.objects.From(query_.selector.has_namespace ? query_.selector.ns + "/" : "");
      break;
    case WatchQuery::kAfter:
      seq_ = resource_->SeqAfter(query_.revision, &lapped_, &floor);
      revision_ = query_.revision;
      break;
    case WatchQuery::kNow:
      revision_ = resource_->NowWithSeq(&seq_).revision;
      break;
  }
}

// True when the initial state is done.
bool Watch::NextInitial(size_t max_bytes, size_t max_pieces, std::vector<Piece>* out, size_t* bytes) {
  while (*bytes < max_bytes && out->size() < max_pieces) {
    Record* record = cursor_.Next();
    const bool past = record != nullptr && query_.selector.has_namespace && record->key().ns() != query_.selector.ns;
    if (record == nullptr || past) {
      if (query_.from == WatchQuery::kInitial && query_.bookmarks) {
        out->push_back({kInitialEnd, state_.revision, {}, {}});
      }
      initial_ = false;
      cursor_ = {};
      state_ = {};
      return true;
    }
    if (!query_.selector.Matches(*record)) continue;
    out->push_back({kAdded, record->revision(), Ref<Record>::Share(record), {}});
    *bytes += record->json().size();
  }
  return false;
}

Watch::Take Watch::Next(size_t max_bytes, size_t max_pieces, std::vector<Piece>* out) {
  size_t bytes = 0;
  if (initial_ && !NextInitial(max_bytes, max_pieces, out, &bytes)) return kReady;
  while (bytes < max_bytes && out->size() < max_pieces) {
    resource_->Read(lapped_ ? 0 : seq_, 32, &batch_);
    if (batch_.kind == Resource::Batch::kDropped) return out->empty() ? kDropped : kReady;
    if (batch_.kind == Resource::Batch::kLapped) {
      if (!out->empty()) return kReady;
      error_ = "too old resource version: " + std::to_string(revision_) + " (" + std::to_string(batch_.floor) + ")";
      return kLapped;
    }
    if (batch_.events.empty()) {
      caught_up_ = true;
      if (batch_.revision > revision_) revision_ = batch_.revision;
      if (want_bookmark_) out->push_back({kBookmark, revision_, {}, {}});
      want_bookmark_ = false;
      break;
    }
    for (const Ref<Event>& event : batch_.events) {
      seq_ = event->seq + 1;
      // A watch may start after a revision that the cache has not reached yet.
      if (event->revision <= revision_ && query_.from == WatchQuery::kAfter && event->revision <= query_.revision) continue;
      Record* record = nullptr;
      const EventCode code = event->For(query_.selector, &record);
      revision_ = event->revision > revision_ ? event->revision : revision_;
      if (code == kNone) continue;
      out->push_back({code, event->revision, Ref<Record>::Share(record), {}});
      bytes += record->json().size();
      if (bytes >= max_bytes || out->size() >= max_pieces) break;
    }
    batch_.events.clear();
  }
  batch_.events.clear();
  return kReady;
}

}  // namespace klystron
