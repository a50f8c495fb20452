#include "core/hub.h"

#include <algorithm>

namespace klystron {

// "" for a watch that every event may concern. First letter: the kind of trigger.
std::string Hub::TriggerOf(const Selector& selector) const {
  std::string key;
  if (selector.SingleKey(*resource_->shape(), &key)) return "1" + key;
  for (const FieldRequirement& field : selector.fields) {
    if (field.kind == FieldRequirement::kPath && field.equal && field.path < 64) {
      return std::string(1, static_cast<char>('A' + field.path)) + field.value;
    }
  }
  if (selector.has_namespace) return "0" + selector.ns;
  return "";
}

void Hub::Add(Watch* watch) {
  all_.push_back(watch);
  const std::string trigger = TriggerOf(watch->query().selector);
  triggers_[trigger].push_back(watch);
  if (!trigger.empty()) kinds_[trigger[0]]++;
}

void Hub::Remove(Watch* watch) {
  std::erase(all_, watch);
  const std::string trigger = TriggerOf(watch->query().selector);
  const auto at = triggers_.find(trigger);
  if (at == triggers_.end()) return;
  std::erase(at->second, watch);
  if (at->second.empty()) triggers_.erase(at);
  if (!trigger.empty() && --kinds_[trigger[0]] == 0) kinds_.erase(trigger[0]);
}

void Hub::Offer(const std::string& trigger, uint64_t seq, std::vector<Watch*>* ready) {
  const auto at = triggers_.find(trigger);
  if (at == triggers_.end()) return;
  for (Watch* watch : at->second) {
    if (!watch->caught_up()) continue;
    watch->Behind(seq);
    if (!watch->caught_up()) ready->push_back(watch);
  }
}

void Hub::OfferAll(uint64_t seq, std::vector<Watch*>* ready) {
  for (Watch* watch : all_) {
    if (!watch->caught_up()) continue;
    watch->Behind(std::max(seq, watch->seq()));
    ready->push_back(watch);
  }
}

void Hub::Visit(const Record& record, uint64_t seq, std::vector<Watch*>* ready) {
  for (const auto& [kind, count] : kinds_) {
    if (kind == '0') Offer("0" + std::string(record.key().ns()), seq, ready);
    else if (kind == '1') Offer("1" + std::string(record.key().text()), seq, ready);
    else {
      const size_t path = static_cast<size_t>(kind - 'A');
      if (path < record.field_count()) Offer(std::string(1, kind) + std::string(record.Field(path)), seq, ready);
    }
  }
}

void Hub::Advance(std::vector<Watch*>* ready) {
  for (;;) {
    resource_->Read(seq_, 64, &batch_);
    if (batch_.kind != Resource::Batch::kEvents) {
      // Each watch finds out by itself what it has lost.
      OfferAll(0, ready);
      seq_ = batch_.next_seq;
      break;
    }
    if (batch_.events.empty()) break;
    for (const Ref<Event>& event : batch_.events) {
      Offer("", event->seq, ready);
      if (event->now) Visit(*event->now, event->seq, ready);
      if (event->before && !kinds_.empty()) Visit(*event->before, event->seq, ready);
      seq_ = event->seq + 1;
    }
  }
  revision_ = batch_.revision;
  batch_.events.clear();
}

void Hub::Bookmark(Watch* watch, std::vector<Watch*>* ready) {
  const bool was = watch->caught_up();
  watch->WantBookmark(seq_);
  if (was && !watch->caught_up()) ready->push_back(watch);
}

}  // namespace klystron
