// One thread's watches of one resource. When the resource moves on, finds which of them an event
// concerns: those of one namespace, name or field value are found by that, not by asking each.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/watch.h"

namespace klystron {

class Hub {
 public:
  explicit Hub(std::shared_ptr<Resource> resource) : resource_(std::move(resource)) {
    resource_->NowWithSeq(&seq_);
  }
  Resource& resource() const { return *resource_; }
  const std::shared_ptr<Resource>& shared() const { return resource_; }

  void Add(Watch* watch);
  void Remove(Watch* watch);
  bool empty() const { return all_.empty(); }
  // Looks at new events; adds each watch that now has something to `ready` (once).
  void Advance(std::vector<Watch*>* ready);
  // A bookmark for one watch, if it wants them and has seen everything. Call Advance first.
  void Bookmark(Watch* watch, std::vector<Watch*>* ready);
  uint64_t revision() const { return revision_; }

 private:
  std::string TriggerOf(const Selector& selector) const;
  void Offer(const std::string& trigger, uint64_t seq, std::vector<Watch*>* ready);
  void OfferAll(uint64_t seq, std::vector<Watch*>* ready);
  void Visit(const Record& record, uint64_t seq, std::vector<Watch*>* ready);

  std::shared_ptr<Resource> resource_;
  uint64_t seq_ = 0;
  uint64_t revision_ = 0;
  std::vector<Watch*> all_;
  std::unordered_map<std::string, std::vector<Watch*>> triggers_;
  // How many watches wait on each kind of trigger, to skip kinds nobody uses.
  std::unordered_map<char, size_t> kinds_;
  Resource::Batch batch_;
};

}  // namespace klystron
